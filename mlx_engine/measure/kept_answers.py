"""The answers of originals that are kept on this machine: what there is, and how to be rid of it. No MLX."""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.errors import FacetError
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.header import FORMAT, Header
from mlx_engine.models.staging import storage_errors

MOST_BYTES = 5_000_000_000
"""Kept answers take no more than this; those that were used longest ago go first."""


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """One store, as a row; `is_whole` says whether the original has answered everything.

    `header` is None where it is damaged or of another version of Facet; such a store can only be deleted.
    """

    folder: Path
    header: Header | None
    size_bytes: int
    is_whole: bool
    used: float
    """When, in seconds since 1970."""


def kept_answers(root: Path) -> Iterator[KeptAnswers]:
    """Yield what is kept below `root`."""
    for folder in sorted(one for one in root.glob("*") if one.is_dir()):
        try:
            files = {file.name: file.stat() for file in folder.iterdir()}
        except OSError:  # Somebody deletes it at this moment.
            continue
        header = header_of(folder)
        chunks = sum(name.startswith("chunk-") and "." not in name for name in files)
        yield KeptAnswers(
            folder,
            header,
            size_bytes=sum(status.st_size for status in files.values()),
            is_whole=header is not None and chunks == len(header.kinds),
            used=max((status.st_mtime for status in files.values()), default=0.0),
        )


def make_room(root: Path, *, spared: Collection[Path], most_bytes: int = MOST_BYTES) -> None:
    """Delete answers below `root` until they take no more than `most_bytes`, but for those that are `spared`.

    Raises:
        StorageError: they cannot be removed.
    """
    kept = sorted(kept_answers(root), key=lambda one: one.used)
    total = sum(one.size_bytes for one in kept)
    for one in kept:
        if total > most_bytes and one.folder not in spared:
            delete(one)
            total -= one.size_bytes


def header_of(folder: Path) -> Header | None:
    """Return what the answers in `folder` say of themselves; None if they are gone, damaged or of another version."""
    try:
        header = msgspec.json.decode((folder / "reference.json").read_bytes(), type=Header)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, FacetError):
        return None
    return header if header.format == FORMAT else None


def find(root: Path, model: str, convention: Convention) -> Path | None:
    """Return the latest complete answers of the model called `model`, read in that way."""
    name = _last(model)
    found = [
        kept
        for kept in kept_answers(root)
        if kept.is_whole and (header := kept.header) and _last(header.model) == name and header.convention == convention
    ]
    return max(found, key=lambda kept: kept.used).folder if found else None


def _last(model: str) -> str:
    return model.rpartition("/")[2].casefold()


def delete(kept: KeptAnswers) -> None:
    """Remove the answers from the disk; what was measured against them stays.

    Raises:
        StorageError: they cannot be removed.
    """
    with storage_errors(kept.folder):
        shutil.rmtree(kept.folder)
