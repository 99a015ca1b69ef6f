"""Finds models that hold the same weights in two places, and says how much space one of them would be enough to free.

Fine-tunes of one model have the same tensors of the same sizes, so headers alone say nothing. Of every tensor a few
pieces are read and compared, however the tensors are spread over files.
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
from mlx_engine.models.gguf.header import read_header
from mlx_engine.models.library.places import gguf_parts

_piece_bytes = 512
_pieces = 4
"""Read of each tensor: at its beginning, its end and between."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Models with the same weights; keeping one of them frees `gain_bytes`, 0 where they share their files already."""

    models: tuple[ModelDescription, ...]
    gain_bytes: int


def find_duplicates(rows: Iterable[ModelDescription | BrokenDescription]) -> list[Duplicates]:
    """Return the models that are there more than once, those with most to gain first."""
    alike: dict[tuple[str, int, int], list[ModelDescription]] = defaultdict(list)
    for row in rows:
        if isinstance(row, ModelDescription):
            alike[row.format, row.parameters, row.loaded_bytes].append(row)
    found = [group for models in alike.values() if len(models) > 1 for group in _same(models)]
    return sorted((Duplicates(group, _gain(group)) for group in found), key=lambda one: -one.gain_bytes)


def _same(models: list[ModelDescription]) -> list[tuple[ModelDescription, ...]]:
    groups: dict[str, list[ModelDescription]] = defaultdict(list)
    for model in models:
        if print_ := fingerprint(model.path):
            groups[print_].append(model)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def fingerprint(path: Path) -> str:
    """Return what the weights in the folder, or the GGUF file, `path` have in common with copies of them alone.

    "" if they cannot be read.
    """
    digest = blake2b(digest_size=16)
    try:
        for line in sorted(_samples(path)):
            digest.update(line)
    except (FacetError, OSError):
        return ""
    return digest.hexdigest()


def weight_files(path: Path) -> list[Path]:
    """Return the files that hold the weights of the model at `path`."""
    return gguf_parts(path) if path.is_file() else sorted(path.glob("model*.safetensors"))


def _samples(path: Path) -> Iterator[bytes]:
    """Give, for each tensor, its name, type and shape and some of its bytes."""
    for file_path in weight_files(path):
        with file_path.open("rb", buffering=0) as file:
            for name, offset, size in _tensors(file_path):
                yield name.encode() + b"\0" + b"".join(_read_pieces(file, offset, size))


def _tensors(path: Path) -> Iterator[tuple[str, int, int]]:
    if path.suffix == ".gguf":
        for tensor in read_header(path).tensors:
            yield f"{tensor.name} {tensor.type} {tensor.shape}", tensor.offset, tensor.size_bytes
    else:
        for name, entry in safetensors.read_header(path).items():
            yield f"{name} {entry.dtype} {entry.shape}", entry.offset, entry.size_bytes


def _read_pieces(file: BinaryIO, offset: int, size: int) -> Iterator[bytes]:
    last = max(size - _piece_bytes, 0)
    for number in range(_pieces):
        start = last * number // (_pieces - 1)
        yield os.pread(file.fileno(), min(_piece_bytes, size), offset + start)


def _gain(models: Iterable[ModelDescription]) -> int:
    """Return the bytes of all distinct files but those of the largest model."""
    distinct: set[tuple[int, int]] = set()
    sizes = []
    for model in models:
        own = 0
        for file in weight_files(model.path):
            with contextlib.suppress(OSError):  # It was deleted a moment ago.
                status = file.stat()
                own += status.st_size if (status.st_dev, status.st_ino) not in distinct else 0
                distinct.add((status.st_dev, status.st_ino))
        sizes.append(own)
    return sum(sizes) - max(sizes)
