"""The answers of originals that are kept on this machine: what there is, and how to be rid of it. No MLX."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.errors import FacetError
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.header import FORMAT, Header
from mlx_engine.models.staging import storage_errors


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """One store, as a row; `is_whole` says whether the original has answered everything."""

    folder: Path
    header: Header
    size_bytes: int
    is_whole: bool


def kept_answers(root: Path) -> Iterator[KeptAnswers]:
    """Yield what is kept below `root`; what is damaged or of another version is passed over."""
    for file in sorted(root.glob("*/reference.json")):
        try:
            header = msgspec.json.decode(file.read_bytes(), type=Header)
            files = list(file.parent.iterdir())
            size = sum(one.stat().st_size for one in files)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            continue
        if header.format == FORMAT:
            chunks = sum(one.name.startswith("chunk-") and not one.suffix for one in files)
            yield KeptAnswers(file.parent, header, size, chunks == len(header.kinds))


def header_of(folder: Path) -> Header | None:
    """Return what the answers in `folder` say of themselves; None if they are gone, damaged or of another version."""
    try:
        header = msgspec.json.decode((folder / "reference.json").read_bytes(), type=Header)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, FacetError):
        return None
    return header if header.format == FORMAT else None


def find(root: Path, model: str, convention: Convention) -> Path | None:
    """Return the latest complete answers of the model called `model`, read in that way."""
    name = model.rpartition("/")[2].casefold()
    found = [
        kept
        for kept in kept_answers(root)
        if kept.is_whole and kept.header.model.casefold() == name and kept.header.convention == convention
    ]
    return max(found, key=lambda kept: kept.header.created).folder if found else None


def delete(kept: KeptAnswers) -> None:
    """Remove the answers from the disk; what was measured against them stays.

    Raises:
        StorageError: they cannot be removed.
    """
    with storage_errors(kept.folder):
        shutil.rmtree(kept.folder)
