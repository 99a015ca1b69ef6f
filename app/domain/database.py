"""The SQLite file: opened, brought up to date, and its errors put into words.

Several processes may have the file open at once: writers wait for each other for up to a second (WAL, one short
transaction a change). The file of a newer Facet is refused before anything is written. A file that is no database any
more is kept under another name, never deleted.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from app.domain.schema import MIGRATIONS
from mlx_engine.errors import StorageError

BUSY_TIMEOUT_S = 1.0

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE = "{path} is in use by another program. Close it, then try again."
_NO_RIGHTS = "{path} cannot be opened. Check that its folder exists and that you may read and write there."
_IS_DAMAGED = "{path} is damaged. Quit Facet, keep a copy of the file, and put back one from a backup."
_SENTENCES = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_READONLY: "{path} cannot be changed. Check that you may write to the file, its folder and the disk.",
    sqlite3.SQLITE_CANTOPEN: _NO_RIGHTS,
    sqlite3.SQLITE_PERM: _NO_RIGHTS,
    sqlite3.SQLITE_AUTH: _NO_RIGHTS,
    sqlite3.SQLITE_FULL: "The disk of {path} is full. Make room, then try again.",
    sqlite3.SQLITE_IOERR: "The disk of {path} reports an error. Check that it is still connected.",
    sqlite3.SQLITE_CORRUPT: _IS_DAMAGED,
    sqlite3.SQLITE_NOTADB: _IS_DAMAGED,
}


class Database:
    """One open connection. `notice` is empty, or tells that a damaged file was put aside."""

    def __init__(self, path: Path) -> None:
        """Open the file, made if it is missing.

        Raises:
            StorageError: it is locked, of a newer version, or may not be read or written.
        """
        self.path = path
        self.notice = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
        with self._explained():
            try:
                self._connection = _open(path)
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise
                self.notice = _put_aside(path)
                self._connection = _open(path)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows that the query finds.

        Raises:
            StorageError: the file cannot be read.
        """
        with self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write in one piece: all of it is on disk afterwards, or after an error nothing.

        Raises:
            StorageError: the file cannot be written.
        """
        with self._explained(), _transaction(self._connection):
            yield self._connection

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            sentence = _SENTENCES.get(_code(error), "{path} cannot be used: {error}.")
            raise StorageError(sentence.format(path=self.path, error=error)) from error


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        _refuse_newer(connection, path)
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """WORKAROUND(SQLite 3.40): changing to WAL does not wait while another process does the same; ask again instead."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite has rolled back by itself after some errors
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) > len(MIGRATIONS):
        raise StorageError(f"{path} was made by a newer Facet. Update Facet to open it; nothing was changed.")


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with _transaction(connection):
        for migration in MIGRATIONS[_version(connection) :]:  # read again: another process may have been faster
            migration(connection)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _put_aside(path: Path) -> str:
    names = (path.with_name(f"{path.stem}.damaged-{number}{path.suffix}") for number in count(1))
    kept = next(name for name in names if not name.exists())
    try:
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(kept.with_name(kept.name + ending))
    except OSError as error:
        raise StorageError(f"{path} is damaged and cannot be put aside: {error.strerror}.") from error
    return f"{path} is damaged and could not be opened. It is kept as {kept.name}; Facet begins with an empty file."


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
