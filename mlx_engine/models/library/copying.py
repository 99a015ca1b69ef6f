"""Copies a model folder into the library. The copy appears complete or not at all."""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.amounts import format_disk
from mlx_engine.errors import AlreadyExists, NoSpace
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files import side_files, staging
from mlx_engine.models.files.weight_files import weight_files

_slice_bytes = 2**24


@dataclass(frozen=True, slots=True)
class CopyProgress:
    done_bytes: int
    total_bytes: int


def copy_model(source: Path, target: Path) -> Iterator[CopyProgress]:
    """Copy the model folder `source` to `target`; closing the iterator cancels and removes the partial copy.

    Subfolders are skipped, since models have none. Links are copied as the files that they point to.

    Raises:
        ModelError: `source` contains no model or a damaged one.
        NoSpace: the disk has too little space.
        AlreadyExists: `target` already exists.
        StorageError: a folder cannot be read or written.
    """
    describe(source, source.name)
    if target.exists():
        raise AlreadyExists(
            f"A model called {target.parent.name}/{target.name} already exists. Rename it and try again."
        )
    with staging.storage_errors(target):
        strays = weight_files(source).strays
        files = [file for file in sorted(source.iterdir()) if file.is_file() and _belongs(file.name, strays)]
        total = sum(file.stat().st_size for file in files)
        with staging.locked_partial(target) as partial:
            if shutil.disk_usage(partial).free < total:
                raise NoSpace(f"Not enough disk space for {target.name}. Free up {format_disk(total)} and try again.")
            done = 0
            for file in files:
                for slice_bytes in _copy(file, partial / file.name):
                    done += slice_bytes
                    yield CopyProgress(done, total)
            staging.put_in_place(partial, target)


def _belongs(name: str, strays: Collection[str]) -> bool:
    return name not in strays and not side_files.is_system_file(name)


def _copy(source: Path, target: Path) -> Iterator[int]:
    """Copy slice by slice, and yield the size of each in bytes."""
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_slice_bytes):
            writing.write(piece)
            yield len(piece)
