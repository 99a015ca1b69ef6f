"""The Hugging Face cache: the paths of its files, and the way a downloaded revision is added to it.

The layout is the one documented by `huggingface_hub`, so that Facet and other apps share downloads: `blobs/<digest>`
has the contents, `snapshots/<commit>/<name>` links to them, `refs/<branch>` names the commit. This module does not
import `huggingface_hub`, so the window's process may use it.

A partial download never looks like a model. Contents are written to `blobs/<digest>.facet.incomplete`. Links are
created when all contents are complete and verified, with config.json last: without it, no folder is a model.
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
    """Return the folder of the cache, according to the same variables as in `huggingface_hub`."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if folder := environment.get(name):
            return _expanded(folder)
    if home := environment.get("HF_HOME"):
        return _expanded(home) / "hub"
    return _expanded(environment.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _expanded(folder: str) -> Path:
    return Path(os.path.expandvars(folder)).expanduser().absolute()


def repository_folder(repository: str) -> str:
    """Return the name of the cache folder of a model's repository."""
    return "models--" + repository.replace("/", "--")


@dataclass(frozen=True, slots=True)
class CachedRevision:
    """One commit of a repository in the cache; it need not exist."""

    repository_folder: Path
    commit: str

    @classmethod
    def of(cls, cache: Path, repository: str, commit: str) -> "CachedRevision":
        return cls(cache / repository_folder(repository), commit)

    @property
    def folder(self) -> Path:
        """The folder with the files of the commit by name."""
        return self.repository_folder / "snapshots" / self.commit

    def blob(self, file: RemoteFile) -> Path:
        return self.repository_folder / "blobs" / file.digest

    def partial(self, file: RemoteFile) -> Path:
        return self.repository_folder / "blobs" / (file.digest + PARTIAL_SUFFIX)

    def is_complete(self, file: RemoteFile) -> bool:
        """Return whether the file is complete. On a disk without links, it replaces the link."""
        return any(_size(path) == file.size_bytes for path in (self.blob(file), self.folder / file.name))

    def contents(self, file: RemoteFile) -> Path:
        """Return the path of the contents of a complete file."""
        return self.blob(file) if self.blob(file).exists() else self.folder / file.name

    def downloaded_bytes(self, file: RemoteFile) -> int:
        """Return the number of bytes of the file that are already downloaded."""
        if self.is_complete(file):
            return file.size_bytes
        size = _size(self.partial(file)) or 0
        return size if size <= file.size_bytes else 0

    @contextlib.contextmanager
    def locked_partial(self, file: RemoteFile) -> Iterator[BinaryIO | None]:
        """Yield the partial file, unbuffered and locked for this process; None if the file is complete.

        Waits while another process downloads the same file.
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
        """Rename the complete partial file to its final name."""
        self.partial(file).replace(self.blob(file))

    def discard(self, file: RemoteFile) -> int:
        """Delete the contents of a file that belongs to no revision; return the number of bytes freed.

        They stay if a link points to them, or while another app holds the library's lock on them.
        """
        if self.blob(file) not in _unlinked_blobs(self.repository_folder):
            return 0
        return _discard(self.repository_folder, self.blob(file))

    def discard_empty_folders(self) -> None:
        """Delete the empty folders of the repository."""
        for folder in (self.repository_folder / "blobs", self.repository_folder):
            # A folder that is not empty cannot be removed.
            with contextlib.suppress(OSError):
                folder.rmdir()

    def link_files(self, files: Sequence[RemoteFile], branch: str) -> None:
        """Create the links to `files`, which are complete, and set `branch` to the commit unless it is a commit.

        Raises:
            OSError: a link cannot be created, or a file has been deleted in the meantime.
        """
        for file in sorted(files, key=lambda file: file.name == "config.json"):
            self._link(file)
        if branch != self.commit:
            ref = self.repository_folder / "refs" / branch
            ref.parent.mkdir(parents=True, exist_ok=True)
            temporary = ref.with_name(f"{ref.name}.{uuid.uuid4().hex}.tmp")
            temporary.write_text(self.commit)
            temporary.replace(ref)

    def _link(self, file: RemoteFile) -> None:
        link, blob = self.folder / file.name, self.blob(file)
        if not blob.exists():
            if _size(link) == file.size_bytes:  # On a disk without links.
                return
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(blob))
        if link.exists() and link.samefile(blob):
            return
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = link.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            temporary.symlink_to(os.path.relpath(blob, link.parent))
        except OSError:
            # On a disk without links, such as exFAT, the file itself is moved there.
            blob.replace(link)
        else:
            temporary.replace(link)


def discard_partial(cache: Path, repository: str) -> int:
    """Delete contents of `repository` that belong to no revision; return the number of bytes freed.

    Files that any app is downloading stay. The folder is deleted too if it becomes empty.
    """
    revision = CachedRevision.of(cache, repository, "")
    folder = revision.repository_folder
    freed = sum(_remove_unlocked(path, path) for path in folder.glob(f"blobs/*{PARTIAL_SUFFIX}"))
    if not any(folder.glob("blobs/*.incomplete")):
        freed += sum(_discard(folder, blob) for blob in _unlinked_blobs(folder))
    revision.discard_empty_folders()
    return freed


def _discard(folder: Path, blob: Path) -> int:
    return _remove_unlocked(blob, folder.parent / ".locks" / folder.name / f"{blob.name}.lock")


def _unlinked_blobs(folder: Path) -> list[Path]:
    """Return the contents that no revision links to."""
    linked = {os.path.realpath(link) for link in folder.glob("snapshots/**/*") if link.is_symlink()}
    return [blob for blob in folder.glob("blobs/*") if os.path.realpath(blob) not in linked]


def _remove_unlocked(path: Path, lock: Path) -> int:
    """Delete the file unless a process holds `lock`, which need not exist; return the size of the deleted file."""
    size = _size(path) or 0
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
    except FileNotFoundError:
        path.unlink(missing_ok=True)
    except OSError:
        return 0
    return size


def free_bytes(folder: Path) -> int:
    """Return the free space on the disk of `folder`, which need not exist."""
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
