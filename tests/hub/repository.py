"""Repositories of the test Hub, with their files and commits."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

LARGE_SUFFIXES = (".safetensors", ".bin", ".pt", ".gguf", ".zip")
"""Files of these types are in large-file storage, regardless of their size; all others are plain git files."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file at a commit. `claimed_size` and `claimed_sha256` make the listing wrong."""

    content: bytes | Path
    is_large: bool = False
    claimed_size: int | None = None
    claimed_sha256: str | None = None

    @property
    def size(self) -> int:
        if self.claimed_size is not None:
            return self.claimed_size
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)

    def read(self) -> bytes:
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content

    def digest(self) -> str:
        """Return the SHA-256 of a large file, or the git object id of any other."""
        if self.is_large:
            return self.claimed_sha256 or self._sha256()
        content = self.read()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()

    def _sha256(self) -> str:
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(slots=True)
class Repository:
    """A model repository, or a data set with an id such as "datasets/OWNER/NAME".

    The last of `commits` is the main branch.
    """

    id: str
    commits: dict[str, dict[str, HubFile]] = field(default_factory=dict)
    gated: Literal["auto", "manual"] | None = None
    private: bool = False
    downloads: int = 0
    likes: int = 0
    updated: str = "2026-01-01T00:00:00.000Z"
    tags: tuple[str, ...] = ()
    pipeline_tag: str | None = "text-generation"
    card_data: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    tensor_counts: dict[str, int] = field(default_factory=dict)
    """Number of elements by data type, as counted by the Hub."""
    digests: dict[HubFile, str] = field(default_factory=dict)

    def commit(self, files: dict[str, HubFile | bytes | Path]) -> str:
        """Add a commit with exactly these files; return its id."""
        stored = {name: _as_hub_file(name, file) for name, file in files.items()}
        self.digests |= {file: file.digest() for file in stored.values()}
        listing = "\n".join(f"{self.digests[file]} {name}" for name, file in sorted(stored.items()))
        commit = hashlib.sha1(f"{len(self.commits)}\n{listing}".encode(), usedforsecurity=False).hexdigest()
        self.commits[commit] = stored
        return commit

    @property
    def main(self) -> str:
        return list(self.commits)[-1]

    def resolve(self, revision: str) -> str | None:
        """Return the commit of a branch or commit id."""
        if revision == "main":
            return self.main
        return revision if revision in self.commits else None


def _as_hub_file(name: str, file: HubFile | bytes | Path) -> HubFile:
    is_large = name.endswith(LARGE_SUFFIXES)
    return replace(file, is_large=is_large) if isinstance(file, HubFile) else HubFile(file, is_large)
