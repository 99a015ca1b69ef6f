"""Finds models with the same weights, and the space that deleting all but one of them would free.

Fine-tunes of a model have the same tensors of the same sizes, so headers are not enough. A few samples of every tensor
are compared, no matter how the tensors are split into files.
"""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from mlx_engine.errors import FacetError
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.files import safetensors
from mlx_engine.models.files.weight_files import weight_files
from mlx_engine.models.gguf.files import existing_files, is_gguf
from mlx_engine.models.gguf.header import read_header

_sample_bytes = 512
_samples_per_tensor = 4
"""Spread evenly from the start to the end of the tensor."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Models with the same weights.

    Deleting all but one frees `reclaimable_bytes`; 0 if they already share their files.
    """

    models: tuple[ModelDescription, ...]
    reclaimable_bytes: int


def find_duplicates(rows: Iterable[ModelDescription | BrokenDescription]) -> list[DuplicateGroup]:
    """Return the groups of models with the same weights, the most reclaimable first."""
    candidates: dict[tuple[str, int, int], list[ModelDescription]] = defaultdict(list)
    for row in rows:
        if isinstance(row, ModelDescription):
            candidates[row.format, row.parameters, row.loaded_bytes].append(row)
    groups = [group for models in candidates.values() if len(models) > 1 for group in _with_same_weights(models)]
    duplicates = [DuplicateGroup(group, _reclaimable(group)) for group in groups]
    return sorted(duplicates, key=lambda group: -group.reclaimable_bytes)


def _with_same_weights(models: list[ModelDescription]) -> list[tuple[ModelDescription, ...]]:
    groups: dict[str, list[ModelDescription]] = defaultdict(list)
    for model in models:
        if digest := fingerprint(model.path):
            groups[digest].append(model)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def fingerprint(path: Path) -> str:
    """Return a hash that only copies of the weights at `path`, a folder or a GGUF file, share.

    It is "" if the weights cannot be read.
    """
    digest = blake2b(digest_size=16)
    try:
        for sample in sorted(_samples(path)):
            digest.update(sample)
    except (FacetError, OSError):
        return ""
    return digest.hexdigest()


def files_of(path: Path) -> list[Path]:
    """Return the files with the weights of the model at `path`."""
    return existing_files(path) if path.is_file() else list(weight_files(path).files)


def _samples(path: Path) -> Iterator[bytes]:
    """Yield the name, type, shape and some bytes of each tensor."""
    for file_path in files_of(path):
        with file_path.open("rb", buffering=0) as file:
            for name, offset, size in _tensors(file_path):
                yield name.encode() + b"\0" + b"".join(_read_samples(file, offset, size))


def _tensors(path: Path) -> Iterator[tuple[str, int, int]]:
    if is_gguf(path):
        for tensor in read_header(path).tensors:
            yield f"{tensor.name} {tensor.type} {tensor.shape}", tensor.offset, tensor.size_bytes
    else:
        for name, entry in safetensors.read_header(path).items():
            yield f"{name} {entry.dtype} {entry.shape}", entry.offset, entry.size_bytes


def _read_samples(file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
    last = max(size - _sample_bytes, 0)
    for number in range(_samples_per_tensor):
        start = last * number // (_samples_per_tensor - 1)
        yield os.pread(file.fileno(), min(_sample_bytes, size), offset + start)


def _reclaimable(models: Iterable[ModelDescription]) -> int:
    """Return the size in bytes of all distinct files except those of the largest model."""
    distinct: set[tuple[int, int]] = set()
    sizes = []
    for model in models:
        model_bytes = 0
        for file in files_of(model.path):
            with contextlib.suppress(OSError):  # It was just deleted.
                status = file.stat()
                model_bytes += status.st_size if (status.st_dev, status.st_ino) not in distinct else 0
                distinct.add((status.st_dev, status.st_ino))
        sizes.append(model_bytes)
    return sum(sizes) - max(sizes)
