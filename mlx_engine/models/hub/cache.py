"""The Hugging Face cache: where its files lie, and how a downloaded revision appears in it.

The layout is the one that `huggingface_hub` documents, so that other programs use what Facet downloads and the other
way round: `blobs/<digest>` holds the contents, `snapshots/<commit>/<name>` links to them, `refs/<branch>` names the
commit. This module needs no `huggingface_hub`, so the window's process may use it.

Nothing half-downloaded looks like a model: contents are collected in `blobs/<digest>.facet.incomplete`, the links are
made when all are whole and verified, that of config.json last. Without a config.json no folder is a model.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mlx_engine.hub_messages import RemoteFile

PARTIAL_SUFFIX = ".facet.incomplete"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the cache, by the same variables as `huggingface_hub`."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if folder := environment.get(name):
            return _expanded(folder)
    if home := environment.get("HF_HOME"):
        return _expanded(home) / "hub"
    return _expanded(environment.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _expanded(folder: str) -> Path:
    return Path(os.path.expandvars(folder)).expanduser().absolute()


def repository_folder(repository: str) -> str:
    """Return the name of the folder in the cache that belongs to the repository of a model."""
    return "models--" + repository.replace("/", "--")


@dataclass(frozen=True, slots=True)
class CachedRevision:
    """One commit of one repository in the cache, there or not."""

    repository_folder: Path
    commit: str

    @classmethod
    def of(cls, cache: Path, repository: str, commit: str) -> "CachedRevision":
        return cls(cache / repository_folder(repository), commit)

    @property
    def folder(self) -> Path:
        """Where the files of the commit appear by their names."""
        return self.repository_folder / "snapshots" / self.commit

    def blob(self, file: RemoteFile) -> Path:
        return self.repository_folder / "blobs" / file.digest

    def partial(self, file: RemoteFile) -> Path:
        return self.repository_folder / "blobs" / (file.digest + PARTIAL_SUFFIX)

    def is_complete(self, file: RemoteFile) -> bool:
        """Tell whether the file is here in full; on disks that know no links it is where the link would be."""
        return any(_size(path) == file.size_bytes for path in (self.blob(file), self.folder / file.name))

    def contents(self, file: RemoteFile) -> Path:
        """Return where the contents of a whole file are."""
        return self.blob(file) if self.blob(file).exists() else self.folder / file.name

    def downloaded_bytes(self, file: RemoteFile) -> int:
        """Return how many bytes of the file need not be downloaded any more."""
        if self.is_complete(file):
            return file.size_bytes
        size = _size(self.partial(file)) or 0
        return size if size <= file.size_bytes else 0

    @contextlib.contextmanager
    def locked_partial(self, file: RemoteFile) -> Iterator[BinaryIO | None]:
        """Give what there is of the file, unbuffered and for this process alone; None if it is whole meanwhile.

        It waits while another process downloads the same file.
        """
        path = self.partial(file)
        while not self.is_complete(file):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as part:
                fcntl.flock(part, fcntl.LOCK_EX)
                if _is_at(part, path):
                    yield part
                    return
        yield None

    def store(self, file: RemoteFile) -> None:
        """Let the finished partial file take its name."""
        self.partial(file).replace(self.blob(file))

    def discard(self, file: RemoteFile) -> int:
        """Remove what is here of a file that belongs to no revision; return the bytes freed.

        It stays where a link leads to it, and while another program holds the library's lock on it.
        """
        if self.blob(file) not in _strays(self.repository_folder):
            return 0
        return _discard(self.repository_folder, self.blob(file))

    def discard_empty_folders(self) -> None:
        """Remove the folders of the repository in which nothing is left."""
        for emptied in (self.repository_folder / "blobs", self.repository_folder):
            # What holds anything, of this program or another, refuses to go.
            with contextlib.suppress(OSError):
                emptied.rmdir()

    def link_files(self, files: Sequence[RemoteFile], branch: str) -> None:
        """Make the links of all `files`, which are whole, and let `branch` name the commit if it is none itself.

        Raises:
            OSError: a link cannot be made, or somebody has removed a file meanwhile.
        """
        for file in sorted(files, key=lambda file: file.name == "config.json"):
            self._link(file)
        if branch != self.commit:
            ref = self.repository_folder / "refs" / branch
            ref.parent.mkdir(parents=True, exist_ok=True)
            beside = ref.with_name(f"{ref.name}.{uuid.uuid4().hex}.tmp")
            beside.write_text(self.commit)
            beside.replace(ref)

    def _link(self, file: RemoteFile) -> None:
        link, blob = self.folder / file.name, self.blob(file)
        if not blob.exists():
            if _size(link) == file.size_bytes:  # On a disk that knows no links.
                return
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(blob))
        if link.exists() and link.samefile(blob):
            return
        link.parent.mkdir(parents=True, exist_ok=True)
        beside = link.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            beside.symlink_to(os.path.relpath(blob, link.parent))
        except OSError:
            # A disk that knows no links, as exFAT: the file itself moves there.
            blob.replace(link)
        else:
            beside.replace(link)


def discard_partial(cache: Path, repository: str) -> int:
    """Remove what was downloaded of `repository` and belongs to no revision yet; return the bytes freed.

    What somebody downloads now stays, here or in another program. The folder goes too if nothing is left in it.
    """
    revision = CachedRevision.of(cache, repository, "")
    folder = revision.repository_folder
    freed = sum(_remove_unlocked(path, path) for path in folder.glob(f"blobs/*{PARTIAL_SUFFIX}"))
    if not any(folder.glob("blobs/*.incomplete")):
        freed += sum(_discard(folder, blob) for blob in _strays(folder))
    revision.discard_empty_folders()
    return freed


def _discard(folder: Path, blob: Path) -> int:
    return _remove_unlocked(blob, folder.parent / ".locks" / folder.name / f"{blob.name}.lock")


def _strays(folder: Path) -> list[Path]:
    """Return the contents that no revision has a link to."""
    linked = {os.path.realpath(link) for link in folder.glob("snapshots/**/*") if link.is_symlink()}
    return [blob for blob in folder.glob("blobs/*") if os.path.realpath(blob) not in linked]


def _remove_unlocked(path: Path, lock: Path) -> int:
    """Remove the file unless somebody holds `lock`, which need not exist; return its size."""
    size = _size(path) or 0
    try:
        with lock.open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except FileNotFoundError:
        path.unlink(missing_ok=True)
    except OSError:
        return 0
    return size


def free_bytes(folder: Path) -> int:
    """Return the free space on the disk that `folder` is on, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
