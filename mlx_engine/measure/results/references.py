"""Stored references: the originals' predictions on this Mac, which can be listed, found and deleted. No MLX."""

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
"""Limit for all references; those used longest ago are deleted first."""


@dataclass(frozen=True, slots=True)
class StoredReference:
    """The folder of one reference; `is_complete` if the original has read every chunk.

    `header` is None if it is damaged or from another version of Facet; such a reference can only be deleted.
    """

    folder: Path
    header: ReferenceHeader | None
    size_bytes: int
    is_complete: bool
    last_used: float
    """In seconds since 1970."""


def stored_references(root: Path) -> Iterator[StoredReference]:
    """Yield the references below `root`."""
    return filter(None, map(stored_reference, sorted(path for path in root.glob("*") if not path.is_symlink())))


def stored_reference(folder: Path) -> StoredReference | None:
    """Return the reference in `folder`, None if it is not a folder or is being deleted."""
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
        is_complete=header is not None and chunks == len(header.kinds),
        last_used=max((status.st_mtime for status in files.values()), default=0.0),
    )


def read_header(folder: Path) -> ReferenceHeader | None:
    """Return the header in `folder`, None if it is missing, damaged or from another version of Facet."""
    header = read_value(folder / "reference.json", ReferenceHeader)
    return header if header and (header.format, header.key) == (FORMAT, folder.name) else None


def folder_size(folder: Path) -> int:
    """Return the size of the files in `folder` in bytes; files that vanish meanwhile count as 0."""
    total = 0
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += file.stat().st_size
    return total


def trim(root: Path, *, keep: Collection[Path], max_bytes: int = MAX_BYTES) -> None:
    """Delete references below `root` until they take at most `max_bytes`, except those in `keep` or in use.

    Raises:
        StorageError: a reference cannot be deleted.
    """
    references = sorted(stored_references(root), key=lambda reference: reference.last_used)
    total = sum(reference.size_bytes for reference in references)
    for reference in references:
        if total > max_bytes and reference.folder not in keep and not is_in_use(reference.folder):
            delete_reference(reference)
            total -= reference.size_bytes


def require_space(root: Path, new_bytes: int, *, keep: Collection[Path], max_bytes: int = MAX_BYTES) -> None:
    """Make space below `root` for `new_bytes` more, deleting references as `trim` does.

    Raises:
        NoSpace: all references are in use, or the disk is too full.
        StorageError: a reference cannot be deleted.
    """
    if not new_bytes:
        return
    trim(root, keep=keep, max_bytes=max_bytes - new_bytes)
    total = new_bytes + sum(reference.size_bytes for reference in stored_references(root))
    if total > max_bytes:
        raise NoSpace(
            f"The stored predictions of originals would take {format_disk(total)}, more than the limit of "
            f"{format_disk(max_bytes)}. Use fewer tokens or a larger tail, or finish or delete other studies, which "
            "need theirs."
        )
    if new_bytes > (free := free_bytes(root)):
        raise NoSpace(
            f"The predictions of the original need about {format_disk(new_bytes)} more, but only {format_disk(free)} "
            "is free on the disk. Free up some space, or use fewer tokens."
        )


def find_reference(root: Path, request: RecordReference) -> Path | None:
    """Return the latest complete reference for `request` from a model with its `id` as name or folder.

    Raises:
        ModelNotFound: several models match.
    """
    matches = [
        (reference, reference.header)
        for reference in stored_references(root)
        if reference.is_complete and reference.header and _matches(reference.header, request)
    ]
    if not matches:
        return None
    exact = [match for match in matches if request.id in (match[1].model, match[1].folder)] or matches
    names = {header.weights: header.model for _, header in exact}
    if len(set(names.values())) > 1:
        several = ", ".join(sorted(set(names.values())))
        raise ModelNotFound(f"Several models match {request.id!r}: {several}. Use the full name.")
    return max((reference for reference, _ in exact), key=lambda reference: reference.last_used).folder


def _matches(header: ReferenceHeader, request: RecordReference) -> bool:
    """Return whether `request` would record the same reference."""
    short, long = sorted((_parts(request.id), _parts(header.model)), key=len)
    is_model = request.id == header.folder or (bool(short) and long[-len(short) :] == short)
    expected = (request.convention, request.limit_tokens, request.tail_mass, request.is_stand_in)
    has_settings = expected == (header.convention, header.limit_tokens, header.tail_mass, header.is_stand_in)
    return is_model and has_settings and _is_same_corpus(header.source, request.corpus)


def _is_same_corpus(stored: CorpusSource, requested: CorpusSource) -> bool:
    """Return whether both are the same text. A stored data set has its commit, a requested one need not."""
    same = msgspec.structs.replace(requested, dataset=stored.dataset, private=stored.private)
    return stored == same and requested.dataset in (stored.dataset, stored.dataset.rpartition("@")[0])


def _parts(name: str) -> list[str]:
    """Return the components of a name or path, without revisions."""
    return [part.partition("@")[0].casefold() for part in Path(name).parts]


def delete_reference(reference: StoredReference) -> None:
    """Delete a reference from the disk; results measured against it stay.

    Raises:
        StorageError: it is in use, or cannot be deleted.
    """
    if is_in_use(reference.folder):
        raise StorageError(
            f"A measurement is using the stored predictions in {reference.folder}. Stop it or wait until it finishes."
        )
    with storage_errors(reference.folder), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(reference.folder)
