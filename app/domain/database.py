"""The SQLite file: opening, migrations, and error messages.

Several processes can open the file: writers wait for each other for up to a second (WAL, one short transaction per
change). The file of a newer Facet is refused before anything is written. A file that is not a valid database is kept
under another name, never deleted.
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
_IN_USE = "{path} is in use by another app. Close that app and try again."
_NO_PERMISSION = "Couldn't open {path}. Check that its folder exists and that you can read and write there."
_IS_DAMAGED = "{path} is damaged. Quit Facet and restore the file from a backup."
_MESSAGES = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_READONLY: "Couldn't write to {path}. Check the permissions of the file, its folder and the disk.",
    sqlite3.SQLITE_CANTOPEN: _NO_PERMISSION,
    sqlite3.SQLITE_PERM: _NO_PERMISSION,
    sqlite3.SQLITE_AUTH: _NO_PERMISSION,
    sqlite3.SQLITE_FULL: "Not enough disk space for {path}. Free up some space and try again.",
    sqlite3.SQLITE_IOERR: "The disk of {path} reports an error. Check that it is connected.",
    sqlite3.SQLITE_CORRUPT: _IS_DAMAGED,
    sqlite3.SQLITE_NOTADB: _IS_DAMAGED,
}


class Database:
    """An open connection. `notice` is empty, or a sentence about a damaged file."""

    def __init__(self, path: Path) -> None:
        """Open the file, and create it if it is missing.

        Raises:
            StorageError: the file is locked, of a newer version, or not readable or writable.
        """
        self.path = path
        self.notice = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"Couldn't create the folder {path.parent}: {error.strerror}.") from error
        with self._translated_errors():
            try:
                self._connection = _open(path)
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise
                self.notice = _move_aside(path)
                self._connection = _open(path)

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return all rows of the query.

        Raises:
            StorageError: the file cannot be read.
        """
        with self._translated_errors():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write atomically: everything or, after an error, nothing.

        Raises:
            StorageError: the file cannot be written.
        """
        with self._translated_errors(), _transaction(self._connection):
            yield self._connection

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            message = _MESSAGES.get(_code(error), "Couldn't use {path}: {error}.")
            raise StorageError(message.format(path=self.path, error=error)) from error


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
    """WORKAROUND(SQLite 3.40): switching to WAL does not wait for another process that does the same, so retry."""
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
        with suppress(sqlite3.Error):  # SQLite rolls back automatically after some errors
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) > len(MIGRATIONS):
        raise StorageError(f"{path} was created by a newer Facet. Update Facet to open the file. Nothing was changed.")


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with _transaction(connection):
        for migration in MIGRATIONS[_version(connection) :]:  # read again: another process may have migrated
            migration(connection)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _move_aside(path: Path) -> str:
    names = (path.with_name(f"{path.stem}.damaged-{number}{path.suffix}") for number in count(1))
    backup = next(name for name in names if not name.exists())
    try:
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(backup.with_name(backup.name + ending))
    except OSError as error:
        raise StorageError(f"{path} is damaged and couldn't be moved aside: {error.strerror}.") from error
    return f"{path} is damaged. The file was kept as {backup.name}, and Facet started with an empty one."


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
