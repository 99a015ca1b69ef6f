"""A folder, or a file, that appears whole or not at all.

Work goes on in `<name>.partial` beside the target, which is locked while somebody works in it. A process that is
killed leaves the partial one unlocked, and the next one clears it.
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
    """Translate an `OSError` while writing below `target` into a sentence; of a full disk, with what is needed if that
    is known.
    """
    try:
        yield
    except OSError as error:
        raise _translate(error, target, needed_bytes) from error


def _translate(error: OSError, target: Path, needed_bytes: int) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        room = f"Make room for {format_disk(needed_bytes)}" if needed_bytes else "Make room"
        return NoSpace(f"The disk is full: {target.name} could not be written. {room} and try again.")
    return StorageError(_explain(error, target))


def _explain(error: OSError, target: Path) -> str:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Facet may not write in {target.parent}. Allow it there, or choose another folder by FACET_HOME."
    return f"{target} could not be written: {error.strerror or error}."


@contextmanager
def locked_partial(target: Path) -> Iterator[Path]:
    """Give the empty partial folder of `target`, alone; wait while another process works in it.

    The caller puts it in place with `put_in_place`. A partial folder that is still there in the end is removed.

    Raises:
        OSError: the folder cannot be made.
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
    """Remove the partial folder of `target` if nobody works in it any more."""
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
    """Tell whether a process works in the partial folder of `target`."""
    return is_in_use(target.with_name(f"{target.name}.partial"))


def sweep(models_folder: Path) -> None:
    """Remove all partial folders of `<owner>/<name>` folders in which nobody works: processes that were killed left
    them.
    """
    for partial in models_folder.glob("*/*.partial"):
        discard_partial(partial.with_suffix(""))


def write_whole(file: Path, content: bytes) -> None:
    """Write the file so that it is never seen half written: it takes its name, over another one, when it is whole.

    Several processes may write it at once; each waits for the one before. One that fails leaves nothing.
    """
    partial = file.with_name(f"{file.name}.partial")
    descriptor = _lock_file(partial)
    try:
        os.ftruncate(descriptor, 0)  # A process that was killed may have left something.
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
    """Hold the file `mark` as long as the context lasts, unless another process holds it; tell whether it is held.

    Raises:
        StorageError: the file cannot be made.
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
    """Tell other processes that the folder is being used; with `alone`, wait until none of them uses it.

    Raises:
        StorageError: it is not there, or its disk knows no locks.
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
    """Tell whether a process uses the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # Its disk knows no locks.
        return False
    finally:
        os.close(descriptor)
    return False


def put_in_place(partial: Path, target: Path) -> None:
    """Let the finished folder take its name, over a broken one where there is one."""
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
            continue  # The other one put the folder in place between two steps of this one.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_at(descriptor, partial):
            return descriptor
        # While this one waited, the other finished and took the folder away.
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
        # While this one waited, the other finished and put its file in place, or took it away.
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
