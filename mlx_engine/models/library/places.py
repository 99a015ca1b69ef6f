"""Where models may lie: the roots of the library, and the places below them that look like models.

    Facet          <owner>/<name>/
    Hugging Face   models--<owner>--<name>/snapshots/<commit>/     only whole ones of models
    LM Studio      <owner>/<name>/, often with GGUF files
    added          any folder: models in it, or a few levels below

Nothing is read here but the names, sizes and times of files.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from mlx_engine.errors import StorageError
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import Origin
from mlx_engine.models.hub.cache import cache_folder

_lm_studio = ("~/.lmstudio/models", "~/.cache/lm-studio/models")
_deepest = 4
_most_folders = 20_000
"""So that adding the whole disk by mistake ends."""
_weights = re.compile(r"model.*\.safetensors")
_part = re.compile(r".*-(\d{5})-of-(\d{5})\.(safetensors|gguf)")
_repository_prefix = "models--"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that holds models in the order that its `kind` has."""

    kind: Origin
    path: Path


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells whether a file has changed."""

    size_bytes: int
    modified_ns: int
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, or a GGUF file, that should be a model. `source` and `revision` are known in the Hub's cache only."""

    id: str
    path: Path
    files: Mapping[str, FileStamp]
    source: str = ""
    revision: str = ""

    @property
    def stamp(self) -> str:
        """A short text that changes when any of the files does."""
        digest = blake2b(digest_size=12)
        for name, file in sorted(self.files.items()):
            digest.update(f"{name}\0{file.size_bytes}\0{file.modified_ns}\0{file.inode}\0".encode(errors="replace"))
        return digest.hexdigest()


def standard_roots(folders: Folders, added: Sequence[Path] = ()) -> list[Root]:
    """Return Facet's own folder, those of other programs as far as they are there, and those a person has added."""
    others = [Root("huggingface", cache_folder())]
    others += [Root("lmstudio", Path(path).expanduser()) for path in _lm_studio]
    there = [root for root in others if root.path.is_dir()]
    return [Root("facet", folders.models), *there, *(Root("added", path) for path in added)]


def places(root: Root) -> Iterator[Place]:
    """Give the places below `root`; nothing if it is not there, as a disk that is not connected.

    Raises:
        StorageError: Facet's own folder is there but cannot be listed.
    """
    match root.kind:
        case "facet":
            yield from _own(root.path)
        case "huggingface":
            for repository in _folders(root.path):
                yield from _snapshots(Path(repository.path))
        case _:
            yield from _anywhere(root.path)


def gguf_parts(path: Path) -> list[Path]:
    """Return the GGUF files beside `path` that make up one model with it, itself included."""
    if not _part.fullmatch(path.name):
        return [path]
    return sorted(other for other in path.parent.glob("*.gguf") if _belong_together(path.name, other.name))


def _own(models_folder: Path) -> Iterator[Place]:
    """Give every folder of Facet's own, whole or not: what is wrong with it is to be shown."""
    if not models_folder.exists():
        return
    try:
        owners = list(os.scandir(models_folder))
    except OSError as error:
        raise StorageError(f"The models in {models_folder} cannot be read: {error.strerror}.") from error
    for owner in filter(_is_open_folder, owners):
        if not os.access(owner.path, os.R_OK | os.X_OK):
            # Describing it says that it cannot be read.
            yield Place(owner.name, Path(owner.path), {})
            continue
        for model in _folders(Path(owner.path)):
            yield Place(f"{owner.name}/{model.name}", Path(model.path), _stamps(Path(model.path)))


def _snapshots(repository: Path) -> Iterator[Place]:
    """Give the whole snapshots of one repository. The one that its branch names, or else the newest, takes its name."""
    if not repository.name.startswith(_repository_prefix):
        return
    name = repository.name.removeprefix(_repository_prefix).replace("--", "/", 1)
    current = _current_commit(repository)
    found = [
        (Path(folder.path), _stamps(Path(folder.path), with_dead_links=True))
        for folder in _folders(repository / "snapshots")
    ]
    found.sort(key=lambda one: (one[0].name != current, -_newest(one[1]), one[0].name))
    taken = set()
    for snapshot, files in found:
        for place in _of_snapshot(name, snapshot, files):
            free_id = f"{place.id}@{snapshot.name[:7]}" if place.id in taken else place.id
            taken.add(free_id)
            yield replace(place, id=free_id, source=name, revision=snapshot.name)


def _of_snapshot(name: str, snapshot: Path, files: Mapping[str, FileStamp]) -> Iterator[Place]:
    """Give the model of one snapshot if it is whole, or else its GGUF files that are."""
    if _is_whole(files):
        yield Place(name, snapshot, files)
    elif not any(_weights.fullmatch(file) for file in files):
        there = {file: stamp for file, stamp in files.items() if stamp.size_bytes >= 0}
        yield from _gguf_files(name, snapshot, there)


def _newest(files: Mapping[str, FileStamp]) -> int:
    return max((file.modified_ns for file in files.values()), default=0)


def _current_commit(repository: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (repository / "refs" / "main").read_text().strip()
    return ""


def _is_whole(files: Mapping[str, FileStamp]) -> bool:
    """Tell whether a snapshot is a model with all its weights; a file that is still on its way has no size."""
    weights = [name for name in files if _weights.fullmatch(name)]
    all_there = all(file.size_bytes >= 0 for file in files.values())
    return bool(weights) and "config.json" in files and all_there and _has_all_parts(weights)


def _has_all_parts(names: Sequence[str]) -> bool:
    parts = [match for match in map(_part.fullmatch, names) if match]
    return all(len(parts) == int(part[2]) for part in parts)


def _anywhere(root: Path) -> Iterator[Place]:
    """Give the models in `root` and below, those of a folder before those of the folders in it."""
    waiting = [(root, 0)]
    seen = 0
    while waiting and seen < _most_folders:
        folder, depth = waiting.pop()
        seen += 1
        if folder.name.startswith(_repository_prefix):
            yield from _snapshots(folder)
            continue
        files = _stamps(folder)
        yield from _in_folder(folder, files)
        if "config.json" not in files and depth < _deepest:
            waiting += [(Path(entry.path), depth + 1) for entry in _folders(folder)]


def _in_folder(folder: Path, files: Mapping[str, FileStamp]) -> Iterator[Place]:
    if "config.json" in files and any(_weights.fullmatch(name) for name in files):
        yield Place(f"{folder.parent.name}/{folder.name}", folder, files)
        return
    yield from _gguf_files(folder.name, folder, files)


def _gguf_files(owner: str, folder: Path, files: Mapping[str, FileStamp]) -> Iterator[Place]:
    """Give the GGUF files of a folder; those that make up one model are one, and eyes (mmproj) are none."""
    for name in sorted(files):
        if name.endswith(".gguf") and not name.startswith("mmproj"):
            part = _part.fullmatch(name)
            if part is None or int(part[1]) == 1:
                own = {other: files[other] for other in files if other == name or _belong_together(name, other)}
                yield Place(f"{owner}/{name.removesuffix('.gguf')}", folder / name, own)


def _belong_together(first: str, other: str) -> bool:
    one, two = _part.fullmatch(first), _part.fullmatch(other)
    return bool(one and two and first[: one.start(1)] == other[: two.start(1)])


def _stamps(folder: Path, *, with_dead_links: bool = False) -> dict[str, FileStamp]:
    """Return the files of `folder` by name. A link that leads nowhere has the size -1, where they are wanted."""
    stamps = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            try:
                if not entry.is_dir():
                    status = entry.stat()
                    times = status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino
                    stamps[entry.name] = FileStamp(*times)
            except OSError:
                if with_dead_links:
                    stamps[entry.name] = FileStamp(-1, 0, 0, 0)
    return stamps


def _folders(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(filter(_is_open_folder, entries), key=lambda entry: entry.name)
    except OSError:
        return []


def _is_open_folder(entry: "os.DirEntry[str]") -> bool:
    """Tell whether it is a folder that is neither hidden nor being made."""
    try:
        return not entry.name.startswith(".") and not entry.name.endswith(".partial") and entry.is_dir()
    except OSError:
        return False
