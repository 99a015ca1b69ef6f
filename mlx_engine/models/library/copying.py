"""Brings a model folder from elsewhere into the library: a copy that appears whole or not at all."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.amounts import format_disk
from mlx_engine.errors import NoSpace, StorageError
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files import staging

_slice_bytes = 2**24


@dataclass(frozen=True, slots=True)
class CopyProgress:
    done_bytes: int
    total_bytes: int


def copy_model(source: Path, target: Path) -> Iterator[CopyProgress]:
    """Copy the model folder `source` to `target`; closing the iterator gives up and leaves nothing behind.

    Only what lies in the folder itself is copied, and links as what they lead to: a model has no folders in it.

    Raises:
        ModelError: there is no model in `source`, or a damaged one.
        NoSpace: the disk has no room for it.
        StorageError: something is at `target` already, or a folder cannot be read or written.
    """
    describe(source, source.name)
    if target.exists():
        raise StorageError(
            f"There is a model called {target.parent.name}/{target.name} already. Rename that one first."
        )
    with staging.storage_errors(target):
        files = [file for file in sorted(source.iterdir()) if file.is_file()]
        total = sum(file.stat().st_size for file in files)
        with staging.locked_partial(target) as partial:
            if shutil.disk_usage(partial).free < total:
                raise NoSpace(f"The disk has no room for {target.name}: it takes {format_disk(total)}.")
            done = 0
            for file in files:
                for copied in _copy(file, partial / file.name):
                    done += copied
                    yield CopyProgress(done, total)
            staging.put_in_place(partial, target)


def _copy(source: Path, target: Path) -> Iterator[int]:
    """Copy slice by slice; give the bytes of each."""
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_slice_bytes):
            writing.write(piece)
            yield len(piece)
