"""The roots of the library, and the folders and files in them that look like models.

    Facet          <owner>/<name>/
    Hugging Face   models--<owner>--<name>/snapshots/<commit>/     only complete models
    LM Studio      <owner>/<name>/, often with GGUF files
    added          any folder: models in it, or a few levels below

Only the names, sizes and times of files are read.
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
from mlx_engine.models.files import side_files
from mlx_engine.models.gguf.files import belong_together, is_first, is_gguf, model_name
from mlx_engine.models.hub.cache import cache_folder

_lm_studio = ("~/.lmstudio/models", "~/.cache/lm-studio/models")
_depth_limit = 4
_folders_limit = 20_000
"""So that a scan ends even if the user adds the whole disk by mistake."""
_weights = re.compile(r"model.*\.safetensors")
_part = re.compile(r".*-(\d{5})-of-(\d{5})\.(safetensors|gguf)")
_repository_prefix = "models--"


@dataclass(frozen=True, slots=True)
class Root:
    """A folder that contains models in the layout of its `kind`."""

    kind: Origin
    path: Path


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The attributes that change when a file changes."""

    size_bytes: int
    modified_ns: int
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class ModelLocation:
    """A folder or GGUF file that should be a model. `source` and `revision` are set only in the Hub's cache."""

    id: str
    path: Path
    files: Mapping[str, FileStamp]
    source: str = ""
    revision: str = ""

    @property
    def stamp(self) -> str:
        """A hash that changes when any of the files changes."""
        digest = blake2b(digest_size=12)
        for name, file in sorted(self.files.items()):
            digest.update(f"{name}\0{file.size_bytes}\0{file.modified_ns}\0{file.inode}\0".encode(errors="replace"))
        return digest.hexdigest()


def standard_roots(folders: Folders, added: Sequence[Path] = ()) -> list[Root]:
    """Return Facet's folder, the existing ones of other apps, and those that the user has added."""
    other_apps = [Root("huggingface", cache_folder())]
    other_apps += [Root("lmstudio", Path(path).expanduser()) for path in _lm_studio]
    existing = [root for root in other_apps if root.path.is_dir()]
    return [Root("facet", folders.models), *existing, *(Root("added", path) for path in added)]


def find_locations(root: Root) -> Iterator[ModelLocation]:
    """Yield the locations below `root`; nothing if it does not exist, as on a disconnected disk.

    Raises:
        StorageError: Facet's folder exists but cannot be listed.
    """
    match root.kind:
        case "facet":
            yield from _in_facet(root.path)
        case "huggingface":
            for repository in _folders(root.path):
                yield from _snapshots(Path(repository.path))
        case _:
            yield from _anywhere(root.path)


def _in_facet(models_folder: Path) -> Iterator[ModelLocation]:
    """Yield all folders of Facet, even incomplete ones, so that their problems are shown."""
    if not models_folder.exists():
        return
    try:
        owners = list(os.scandir(models_folder))
    except OSError as error:
        raise StorageError(f"Couldn't read the models in {models_folder}: {error.strerror}.") from error
    for owner in filter(_is_visible_folder, owners):
        if not os.access(owner.path, os.R_OK | os.X_OK):
            # Describing it reports that it cannot be read.
            yield ModelLocation(owner.name, Path(owner.path), {})
            continue
        for model in _folders(Path(owner.path)):
            yield ModelLocation(f"{owner.name}/{model.name}", Path(model.path), _stamps(Path(model.path)))


def _snapshots(repository: Path) -> Iterator[ModelLocation]:
    """Yield the complete snapshots of one repository.

    The snapshot of the main branch, or otherwise the newest, gets the plain name as its id.
    """
    if not repository.name.startswith(_repository_prefix):
        return
    name = repository.name.removeprefix(_repository_prefix).replace("--", "/", 1)
    current = _current_commit(repository)
    snapshots = [
        (Path(folder.path), _stamps(Path(folder.path), with_dead_links=True))
        for folder in _folders(repository / "snapshots")
    ]
    snapshots.sort(key=lambda item: (item[0].name != current, -_last_modified_ns(item[1]), item[0].name))
    used_ids = set()
    for snapshot, files in snapshots:
        for location in _in_snapshot(name, snapshot, files):
            free_id = f"{location.id}@{snapshot.name[:7]}" if location.id in used_ids else location.id
            used_ids.add(free_id)
            yield replace(location, id=free_id, source=name, revision=snapshot.name)


def _in_snapshot(name: str, snapshot: Path, files: Mapping[str, FileStamp]) -> Iterator[ModelLocation]:
    """Yield the model of one snapshot if it is complete; if it has no weights, its complete GGUF files."""
    if _is_complete(files):
        yield ModelLocation(name, snapshot, files)
    elif not any(_weights.fullmatch(file) for file in files):
        complete = {file: stamp for file, stamp in files.items() if stamp.size_bytes >= 0}
        yield from _gguf_files(name, snapshot, complete)


def _last_modified_ns(files: Mapping[str, FileStamp]) -> int:
    return max((file.modified_ns for file in files.values()), default=0)


def _current_commit(repository: Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (repository / "refs" / "main").read_text().strip()
    return ""


def _is_complete(files: Mapping[str, FileStamp]) -> bool:
    """Return whether a snapshot is a model with all its weights; a file that is still downloading has no size."""
    weights = [name for name in files if _weights.fullmatch(name)]
    all_downloaded = all(file.size_bytes >= 0 for file in files.values())
    return bool(weights) and "config.json" in files and all_downloaded and _has_all_parts(weights)


def _has_all_parts(names: Sequence[str]) -> bool:
    parts = [match for match in map(_part.fullmatch, names) if match]
    return all(len(parts) == int(part[2]) for part in parts)


def _anywhere(root: Path) -> Iterator[ModelLocation]:
    """Yield the models in `root` and below, those of a folder before those of its subfolders."""
    queue = [(root, 0)]
    visited = 0
    while queue and visited < _folders_limit:
        folder, depth = queue.pop()
        visited += 1
        if folder.name.startswith(_repository_prefix):
            yield from _snapshots(folder)
            continue
        files = _stamps(folder)
        yield from _in_folder(folder, files)
        if "config.json" not in files and depth < _depth_limit:
            queue += [(Path(entry.path), depth + 1) for entry in _folders(folder)]


def _in_folder(folder: Path, files: Mapping[str, FileStamp]) -> Iterator[ModelLocation]:
    if "config.json" in files and any(_weights.fullmatch(name) for name in files):
        yield ModelLocation(f"{folder.parent.name}/{folder.name}", folder, files)
        return
    yield from _gguf_files(folder.name, folder, files)


def _gguf_files(owner: str, folder: Path, files: Mapping[str, FileStamp]) -> Iterator[ModelLocation]:
    """Yield the GGUF models of a folder. A split model counts once; parts of models are skipped."""
    for name in sorted(files):
        path = folder / name
        if is_gguf(path) and is_first(name) and not side_files.is_part(name):
            parts = {file: files[file] for file in files if belong_together(name, file)}
            yield ModelLocation(f"{owner}/{model_name(path)}", path, parts)


def _stamps(folder: Path, *, with_dead_links: bool = False) -> dict[str, FileStamp]:
    """Return the files of `folder` by name. Broken links are left out, or have the size -1 if `with_dead_links`."""
    stamps = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            try:
                if not side_files.is_system_file(entry.name) and not entry.is_dir():
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
            return sorted(filter(_is_visible_folder, entries), key=lambda entry: entry.name)
    except OSError:
        return []


def _is_visible_folder(entry: "os.DirEntry[str]") -> bool:
    """Return whether the entry is a folder that is neither hidden nor still being written."""
    try:
        return not entry.name.startswith(".") and not entry.name.endswith(".partial") and entry.is_dir()
    except OSError:
        return False
