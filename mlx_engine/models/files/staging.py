"""Folders and files that appear complete or not at all.

They are prepared in `<name>.partial` next to the target, locked by the process that writes it. A process that is
killed leaves an unlocked partial folder, which the next process clears.
"""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlx_engine.amounts import format_disk
from mlx_engine.errors import NoSpace, StorageError


@contextmanager
def storage_errors(target: Path, *, needed_bytes: int = 0) -> Iterator[None]:
    """Translate an `OSError` while writing below `target`; `needed_bytes`, if not 0, goes into the message."""
    try:
        yield
    except OSError as error:
        raise _translate(error, target, needed_bytes) from error


def _translate(error: OSError, target: Path, needed_bytes: int) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = f"Free up {format_disk(needed_bytes)}" if needed_bytes else "Free up some space"
        return NoSpace(f"Not enough disk space for {target.name}. {advice} and try again.")
    return StorageError(_explain(error, target))


def _explain(error: OSError, target: Path) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Facet does not have permission to write to {target.parent}. Allow it, or move FACET_HOME."
    return f"Couldn't write {target}: {error.strerror or error}."


@contextmanager
def locked_partial(target: Path) -> Iterator[Path]:
    """Yield the empty partial folder of `target`, locked; wait while another process holds it.

    The caller moves it to `target` with `put_in_place`. A partial folder that still exists at the end is removed.

    Raises:
        OSError: the folder cannot be created.
    """
    partial = target.with_name(f"{target.name}.partial")
    descriptor = _lock(partial)
    try:
        for leftover in partial.iterdir():
            _remove(leftover)
        yield partial
    finally:
        if _is_at(descriptor, partial):
            shutil.rmtree(partial, ignore_errors=True)
        os.close(descriptor)


def discard_partial(target: Path) -> None:
    """Remove the partial folder of `target` unless a process holds it."""
    partial = target.with_name(f"{target.name}.partial")
    with contextlib.suppress(OSError):
        descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, partial):
                shutil.rmtree(partial, ignore_errors=True)
        finally:
            os.close(descriptor)


def is_worked_on(target: Path) -> bool:
    """Return whether a process holds the partial folder of `target`."""
    return is_in_use(target.with_name(f"{target.name}.partial"))


def sweep(models_folder: Path) -> None:
    """Remove all partial `<owner>/<name>` folders that no process holds: leftovers of killed processes."""
    for partial in models_folder.glob("*/*.partial"):
        discard_partial(partial.with_suffix(""))


def write_whole(file: Path, content: bytes) -> None:
    """Write the file atomically: it replaces an existing one only when it is complete.

    Concurrent writers wait for each other. A failed write leaves nothing behind.
    """
    partial = file.with_name(f"{file.name}.partial")
    descriptor = _lock_file(partial)
    try:
        os.ftruncate(descriptor, 0)  # A killed process may have left content.
        with os.fdopen(descriptor, "wb", closefd=False) as out:
            out.write(content)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


@contextmanager
def claimed(mark: Path) -> Iterator[bool]:
    """Lock the file `mark` for the duration of the context; yield False if another process holds it.

    Raises:
        StorageError: the file cannot be created.
    """
    try:
        descriptor = _lock_file(mark, fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    except OSError as error:
        raise _translate(error, mark, 0) from error
    try:
        yield True
    finally:
        mark.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def in_use(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Mark the folder as in use; with `alone`, wait until no other process uses it.

    Raises:
        StorageError: the folder is missing, or its disk does not support locks.
    """
    with storage_errors(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with storage_errors(folder):
            fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def is_in_use(folder: Path) -> bool:
    """Return whether a process uses the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # The disk does not support locks.
        return False
    finally:
        os.close(descriptor)
    return False


def put_in_place(partial: Path, target: Path) -> None:
    """Rename the finished folder to `target`, replacing a broken one."""
    if target.exists():
        shutil.rmtree(target)
    partial.replace(target)


def _lock(partial: Path) -> int:
    while True:
        try:
            partial.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, FileExistsError):
            if partial.is_file():
                raise
            continue  # The other process moved the folder between two of these steps.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(descriptor, partial):
            return descriptor
        # The other process finished and moved the folder while this one waited.
        os.close(descriptor)


def _lock_file(file: Path, how: int = 0) -> int:
    while True:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | how)
        except OSError:
            os.close(descriptor)
            raise
        if _is_at(descriptor, file):
            return descriptor
        # The other process finished and moved or removed its file while this one waited.
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
