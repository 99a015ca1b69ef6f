"""The answers of originals that are kept on this machine: what there is, and how to be rid of it. No MLX."""

import contextlib
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.amounts import format_disk
from mlx_engine.errors import ModelNotFound, NoSpace, StorageError
from mlx_engine.measure.results.header import FORMAT, ReferenceHeader
from mlx_engine.measure.results.messages import CorpusSource, RecordReference
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import is_in_use, storage_errors
from mlx_engine.models.hub.cache import free_bytes

MAX_BYTES = 5_000_000_000
"""Kept answers take no more than this; those that were used longest ago go first."""


@dataclass(frozen=True, slots=True)
class StoredReference:
    """One store, as a row; `is_whole` says whether the original has answered everything.

    `header` is None where it is damaged or of another version of Facet; such a store can only be deleted.
    """

    folder: Path
    header: ReferenceHeader | None
    size_bytes: int
    is_whole: bool
    used: float
    """When, in seconds since 1970."""


def stored_references(root: Path) -> Iterator[StoredReference]:
    """Yield what is kept below `root`."""
    return filter(None, map(stored_reference, sorted(one for one in root.glob("*") if not one.is_symlink())))


def stored_reference(folder: Path) -> StoredReference | None:
    """Return what is kept in `folder`; None if it is none, or somebody deletes it at this moment."""
    try:
        files = {file.name: file.stat() for file in folder.iterdir()}
    except OSError:
        return None
    header = read_header(folder)
    chunks = sum(name.startswith("chunk-") and "." not in name for name in files)
    return StoredReference(
        folder,
        header,
        size_bytes=sum(status.st_size for status in files.values()),
        is_whole=header is not None and chunks == len(header.kinds),
        used=max((status.st_mtime for status in files.values()), default=0.0),
    )


def read_header(folder: Path) -> ReferenceHeader | None:
    """Return what the answers in `folder` say of themselves; None if they are gone, damaged or of another version."""
    header = read_value(folder / "reference.json", ReferenceHeader)
    return header if header and (header.format, header.key) == (FORMAT, folder.name) else None


def folder_size(folder: Path) -> int:
    """Return how much the files in `folder` take; those that vanish meanwhile take nothing."""
    total = 0
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def trim(root: Path, *, spared: Collection[Path], most_bytes: int = MAX_BYTES) -> None:
    """Delete answers below `root` until they take no more than `most_bytes`, but for those that are `spared` or used
    just now.

    Raises:
        StorageError: they cannot be removed.
    """
    kept = sorted(stored_references(root), key=lambda one: one.used)
    total = sum(one.size_bytes for one in kept)
    for one in kept:
        if total > most_bytes and one.folder not in spared and not is_in_use(one.folder):
            delete_reference(one)
            total -= one.size_bytes


def require_space(root: Path, coming_bytes: int, *, spared: Collection[Path], most_bytes: int = MAX_BYTES) -> None:
    """Make room below `root` for so much more, as `make_room` does; what is there already needs none.

    Raises:
        NoSpace: all that is kept is needed, or the disk is too full.
        StorageError: what is not needed cannot be removed.
    """
    if not coming_bytes:
        return
    trim(root, spared=spared, most_bytes=most_bytes - coming_bytes)
    total = coming_bytes + sum(one.size_bytes for one in stored_references(root))
    if total > most_bytes:
        raise NoSpace(
            f"The kept answers of originals would take {format_disk(total)}, and Facet keeps "
            f"{format_disk(most_bytes)} at most. Have fewer tokens read, leave more of each position to a sample "
            "(tail), or finish or delete other studies, which need theirs."
        )
    if coming_bytes > (free := free_bytes(root)):
        raise NoSpace(
            f"The answers of the original take about {format_disk(coming_bytes)} more, and {format_disk(free)} are "
            "free on the disk. Make room, or have fewer tokens read."
        )


def find_reference(root: Path, asked: RecordReference) -> Path | None:
    """Return the latest complete answers to what is `asked`, of the model that was called, or lay, like its `id`.

    Raises:
        ModelNotFound: several models were called so.
    """
    found = [kept for kept in stored_references(root) if kept.is_whole and kept.header and _answers(kept.header, asked)]
    if not found:
        return None
    same = [kept for kept in found if kept.header and asked.id in (kept.header.model, kept.header.folder)] or found
    names = {kept.header.weights: kept.header.model for kept in same if kept.header}
    if len(set(names.values())) > 1:
        several = ", ".join(sorted(set(names.values())))
        raise ModelNotFound(f"The answers of several models called {asked.id!r} are kept: {several}. Say which.")
    return max(same, key=lambda kept: kept.used).folder


def _answers(header: ReferenceHeader, asked: RecordReference) -> bool:
    """Tell whether these are the answers to what is `asked`."""
    short, long = sorted((_parts(asked.id), _parts(header.model)), key=len)
    is_it = asked.id == header.folder or (bool(short) and long[-len(short) :] == short)
    wanted = (asked.convention, asked.limit_tokens, asked.tail_mass, asked.is_stand_in)
    is_read_so = wanted == (header.convention, header.limit_tokens, header.tail_mass, header.is_stand_in)
    return is_it and is_read_so and _is_text(header.choice, asked.corpus)


def _is_text(kept: CorpusSource, asked: CorpusSource) -> bool:
    """Tell whether both are the same text; that of a data set was kept with its commit, which need not be asked for."""
    same = msgspec.structs.replace(asked, dataset=kept.dataset, private=kept.private)
    return kept == same and asked.dataset in (kept.dataset, kept.dataset.rpartition("@")[0])


def _parts(name: str) -> list[str]:
    """Return the folders of a name or a path, the last one without a revision."""
    return [part.partition("@")[0].casefold() for part in Path(name).parts]


def delete_reference(kept: StoredReference) -> None:
    """Remove the answers from the disk; what was measured against them stays.

    Raises:
        StorageError: they are being used, or cannot be removed.
    """
    if is_in_use(kept.folder):
        raise StorageError(
            f"The kept answers in {kept.folder} are being used by a measurement. Stop it, or wait for its end."
        )
    with storage_errors(kept.folder), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(kept.folder)
