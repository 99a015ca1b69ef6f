"""Moves models to the trash, says beforehand how much that frees, and renames Facet's own.

A snapshot of the Hugging Face cache is only links: its contents are in `blobs`, and another snapshot may need them as
well. What no other one needs goes along, in folders as they were, so that it can be put back.
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
from mlx_engine.models.library.places import gguf_parts

_recent_s = 60


@dataclass(frozen=True, slots=True)
class Removal:
    """What deleting a model would do: which `paths` go, what that frees once the trash is emptied, what stays."""

    paths: tuple[Path, ...]
    frees_bytes: int
    shared_bytes: int
    """Held by other models or links as well, hence not freed."""
    repository: Path | None = None
    """The repository in the Hugging Face cache, of which only a part goes."""
    owner: Path | None = None
    """The folder of Facet's own that goes as well once it is empty."""


def plan_removal(model: ModelDescription | BrokenDescription) -> Removal:
    """Return what deleting `model` does; nothing is changed.

    Raises:
        ModelNotFound: it is not there any more.
        RequestError: it is loaded.
        StorageError: it is being downloaded, or cannot be read.
    """
    if not model.path.exists() and not model.path.is_symlink():
        raise ModelNotFound(f"{model.name} is not there any more.")
    _refuse_if_loaded(model)
    try:
        if repository := _repository_of(model.path):
            return _plan_cached(model.path, repository)
        removal = _plan_plain(model.path)
    except OSError as error:
        raise StorageError(f"{model.path} cannot be read: {error.strerror}.") from error
    return replace(removal, owner=model.path.parent) if model.origin == "facet" else removal


def remove(removal: Removal) -> None:
    """Do what was planned: move it to the trash.

    Raises:
        StorageError: the system refuses.
    """
    # Only here: it loads the system's libraries.
    from send2trash import send2trash  # noqa: PLC0415

    try:
        if removal.repository is None:
            send2trash([str(path) for path in removal.paths])
        else:
            with _gathered(removal.repository, removal.paths) as parcel:
                send2trash([str(parcel)])
    except OSError as error:
        raise StorageError(f"{removal.paths[0].name} could not be moved to the trash: {error}.") from error
    if removal.owner:
        with contextlib.suppress(OSError):  # It holds other models.
            removal.owner.rmdir()


def erase(removal: Removal) -> None:
    """Do what was planned for good, past the trash: what is there to make room.

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
        raise StorageError(f"{removal.paths[0].name} could not be removed: {error.strerror}.") from error


def rename(model: ModelDescription | BrokenDescription, models_folder: Path, name: str) -> Path:
    """Give a model of Facet's own folder another name; return where it is now.

    Raises:
        InvalidParameter: the name cannot be one, or another model has it.
        RequestError: the model is loaded.
        StorageError: the model is another program's, or its folder cannot be renamed.
    """
    if not model.path.is_relative_to(models_folder):
        raise StorageError(f"{model.name} lies in another program's folder, under the name that it has there.")
    if "/" in name or not name.isprintable() or name.startswith(".") or name.endswith(".partial") or not name.strip():
        raise InvalidParameter(f"{name!r} cannot be the name of a model.")
    target = model.path.with_name(name)
    if target.exists() and not target.samefile(model.path):
        raise InvalidParameter(f"There is a model called {target.parent.name}/{name} already.")
    _refuse_if_loaded(model)
    try:
        return model.path.rename(target)
    except OSError as error:
        raise StorageError(f"{model.name} could not be renamed: {error.strerror}.") from error


def _refuse_if_loaded(model: ModelDescription | BrokenDescription) -> None:
    if is_in_use(model.path):
        raise RequestError(f"{model.name} is loaded. Unload it, or end the chat with it, and try again.")


def _repository_of(path: Path) -> Path | None:
    """Return the repository of the Hugging Face cache in which this snapshot, or this file of one, lies."""
    for snapshot in (path, path.parent):
        repository = snapshot.parent.parent
        if snapshot.parent.name == "snapshots" and repository.name.startswith("models--"):
            return repository
    return None


def _plan_plain(path: Path) -> Removal:
    if path.is_symlink():
        return Removal((path,), *_weigh([path]))
    if path.is_file():
        return Removal(tuple(gguf_parts(path)), *_weigh(gguf_parts(path)))
    return Removal((path,), *_weigh(_files(path)))


def _weigh(files: Iterable[Path]) -> tuple[int, int]:
    """Return the bytes that go with these files, and those that stay because they are links or have other names."""
    names: dict[tuple[int, int], int] = {}
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    shared = 0
    for file in files:
        if file.is_symlink():
            with contextlib.suppress(OSError):  # It may lead nowhere.
                shared += file.stat().st_size
            continue
        status = file.stat()
        key = status.st_dev, status.st_ino
        names[key] = names.get(key, 0) + 1
        sizes[key] = status.st_size, status.st_nlink
    frees = sum(size for key, (size, links) in sizes.items() if names[key] >= links)
    return frees, shared + sum(size for key, (size, links) in sizes.items() if names[key] < links)


def _plan_cached(path: Path, repository: Path) -> Removal:
    if _is_being_downloaded(repository):
        raise StorageError(f"{repository.name} is being downloaded. Wait until that is done, or stop it.")
    going = set(gguf_parts(path) if path.is_file() else _files(path))
    staying = set(_files(repository / "snapshots")) - going
    if not staying:
        return Removal((repository,), *_weigh(file for file in _files(repository) if not file.is_symlink()))
    needed = _contents(staying)
    own = sorted(_contents(going) - needed)
    frees, _ = _weigh([*own, *(file for file in going if not file.is_symlink())])
    shared = sum(content.stat().st_size for content in _contents(going) & needed)
    refs = [ref for ref in _files(repository / "refs") if ref.read_bytes().strip() == path.name.encode()]
    links = [path] if path.is_dir() else sorted(going)
    return Removal((*links, *own, *refs), frees, shared, repository)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if not file.is_dir()]


def _contents(links: Iterable[Path]) -> set[Path]:
    """Return what these links of a cache lead to."""
    return {content for link in links if link.is_symlink() and (content := link.resolve()).is_file()}


def _is_being_downloaded(repository: Path) -> bool:
    return any(_is_in_use(part) for part in repository.glob("blobs/*.incomplete"))


def _is_in_use(part: Path) -> bool:
    """Tell whether somebody writes this partial file: Facet locks it, other programs write every few seconds."""
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
def _gathered(repository: Path, paths: Iterable[Path]) -> Iterator[Path]:
    """Give a folder that has the name and the order of the repository and holds `paths`; put them back on an error."""
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
