"""Moves models to the Trash, computes in advance how much space that frees, and renames models of Facet.

A snapshot of the Hugging Face cache consists of links. Its contents are in `blobs`, which other snapshots may share.
Contents that no other snapshot needs are moved along in the same folder structure, so that they can be put back.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlx_engine.errors import InvalidParameter, ModelNotFound, RequestError, StorageError
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.files.in_use import is_in_use
from mlx_engine.models.gguf.files import existing_files

_recent_s = 60


@dataclass(frozen=True, slots=True)
class Removal:
    """The effect of deleting a model: the `paths` to delete, and the space that emptying the Trash frees."""

    paths: tuple[Path, ...]
    frees_bytes: int
    shared_bytes: int
    """Not freed, because other models or links share the files."""
    repository: Path | None = None
    """The repository in the Hugging Face cache, if only a part of it is deleted."""
    owner: Path | None = None
    """The owner's folder in Facet's folder, which is deleted if it becomes empty."""


def plan_removal(model: ModelDescription | BrokenDescription) -> Removal:
    """Return the effect of deleting `model`, without changing anything.

    Raises:
        ModelNotFound: it no longer exists.
        RequestError: it is loaded.
        StorageError: it is being downloaded, or cannot be read.
    """
    if not model.path.exists() and not model.path.is_symlink():
        raise ModelNotFound(f"{model.name} no longer exists.")
    _refuse_if_loaded(model)
    try:
        if repository := _repository_of(model.path):
            return _plan_in_cache(model.path, repository)
        removal = _plan_in_folder(model.path)
    except OSError as error:
        raise StorageError(f"Couldn't read {model.path}: {error.strerror}.") from error
    return replace(removal, owner=model.path.parent) if model.origin == "facet" else removal


def move_to_trash(removal: Removal) -> None:
    """Move the planned paths to the Trash.

    Raises:
        StorageError: the system refuses.
    """
    # Imported late, since it loads system libraries.
    from send2trash import send2trash  # noqa: PLC0415

    try:
        if removal.repository is None:
            send2trash([str(path) for path in removal.paths])
        else:
            with _parcel(removal.repository, removal.paths) as parcel:
                send2trash([str(parcel)])
    except OSError as error:
        raise StorageError(f"Couldn't move {removal.paths[0].name} to the Trash: {error}.") from error
    if removal.owner:
        with contextlib.suppress(OSError):  # It contains other models.
            removal.owner.rmdir()


def delete_permanently(removal: Removal) -> None:
    """Delete the planned paths permanently, bypassing the Trash, to free space at once.

    Raises:
        StorageError: the system refuses.
    """
    try:
        for path in removal.paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise StorageError(f"Couldn't delete {removal.paths[0].name}: {error.strerror}.") from error


def rename(model: ModelDescription | BrokenDescription, models_folder: Path, name: str) -> Path:
    """Rename a model in Facet's folder; return its new path.

    Raises:
        InvalidParameter: the name is invalid, or another model has it.
        RequestError: the model is loaded.
        StorageError: the model is in another app's folder, or cannot be renamed.
    """
    if not model.path.is_relative_to(models_folder):
        raise StorageError(f"{model.name} can't be renamed, because it is in another app's folder.")
    if "/" in name or not name.isprintable() or name.startswith(".") or name.endswith(".partial") or not name.strip():
        raise InvalidParameter(
            f"{name!r} is not a valid model name. Avoid slashes, a leading dot and the ending “.partial”."
        )
    target = model.path.with_name(name)
    if target.exists() and not target.samefile(model.path):
        raise InvalidParameter(f"A model called {target.parent.name}/{name} already exists. Choose another name.")
    _refuse_if_loaded(model)
    try:
        return model.path.rename(target)
    except OSError as error:
        raise StorageError(f"Couldn't rename {model.name}: {error.strerror}.") from error


def _refuse_if_loaded(model: ModelDescription | BrokenDescription) -> None:
    if is_in_use(model.path):
        raise RequestError(f"{model.name} is loaded. Unload it and try again.")


def _repository_of(path: Path) -> Path | None:
    """Return the Hugging Face cache repository of this snapshot, or of this file in one; None if it has none."""
    for snapshot in (path, path.parent):
        repository = snapshot.parent.parent
        if snapshot.parent.name == "snapshots" and repository.name.startswith("models--"):
            return repository
    return None


def _plan_in_folder(path: Path) -> Removal:
    if path.is_symlink():
        return Removal((path,), *_freed_and_shared_bytes([path]))
    if path.is_file():
        return Removal(tuple(existing_files(path)), *_freed_and_shared_bytes(existing_files(path)))
    return Removal((path,), *_freed_and_shared_bytes(_files(path)))


def _freed_and_shared_bytes(files: Iterable[Path]) -> tuple[int, int]:
    """Return the bytes that deleting these files frees, and the bytes kept because of links from elsewhere."""
    names: dict[tuple[int, int], int] = {}
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    shared = 0
    for file in files:
        if file.is_symlink():
            with contextlib.suppress(OSError):  # The link may be broken.
                shared += file.stat().st_size
            continue
        status = file.stat()
        key = status.st_dev, status.st_ino
        names[key] = names.get(key, 0) + 1
        sizes[key] = status.st_size, status.st_nlink
    frees = sum(size for key, (size, links) in sizes.items() if names[key] >= links)
    return frees, shared + sum(size for key, (size, links) in sizes.items() if names[key] < links)


def _plan_in_cache(path: Path, repository: Path) -> Removal:
    if _is_being_downloaded(repository):
        raise StorageError(f"{repository.name} is being downloaded. Wait for the download to finish, or stop it.")
    removed = set(existing_files(path) if path.is_file() else _files(path))
    remaining = set(_files(repository / "snapshots")) - removed
    if not remaining:
        return Removal(
            (repository,), *_freed_and_shared_bytes(file for file in _files(repository) if not file.is_symlink())
        )
    needed = _contents(remaining)
    contents = sorted(_contents(removed) - needed)
    frees, _ = _freed_and_shared_bytes([*contents, *(file for file in removed if not file.is_symlink())])
    shared = sum(content.stat().st_size for content in _contents(removed) & needed)
    refs = [ref for ref in _files(repository / "refs") if ref.read_bytes().strip() == path.name.encode()]
    links = [path] if path.is_dir() else sorted(removed)
    return Removal((*links, *contents, *refs), frees, shared, repository)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if not file.is_dir()]


def _contents(links: Iterable[Path]) -> set[Path]:
    """Return the files that these links in the cache point to."""
    return {content for link in links if link.is_symlink() and (content := link.resolve()).is_file()}


def _is_being_downloaded(repository: Path) -> bool:
    return any(_is_being_written(part) for part in repository.glob("blobs/*.incomplete"))


def _is_being_written(part: Path) -> bool:
    """Return whether a process is writing this partial file: Facet locks it, other apps write every few seconds."""
    try:
        with part.open("rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime < _recent_s:
                return True
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


@contextlib.contextmanager
def _parcel(repository: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """Yield a folder with the repository's name and structure and `paths` moved into it; undo that on an error."""
    home = Path(tempfile.mkdtemp(prefix=".facet-deleted-", dir=repository.parent))
    parcel = home / repository.name
    moved: list[tuple[Path, Path]] = []
    try:
        for path in paths:
            target = parcel / (path.parent.resolve() / path.name).relative_to(repository.resolve())
            target.parent.mkdir(parents=True, exist_ok=True)
            moved.append((path, path.rename(target)))
        yield parcel
    except OSError:
        for path, target in reversed(moved):
            target.rename(path)
        raise
    finally:
        for folder in (*sorted(home.rglob("*"), reverse=True), home):
            with contextlib.suppress(OSError):  # Only empty folders go.
                folder.rmdir()
