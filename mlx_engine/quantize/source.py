"""What a conversion reads from: a model's outline, and its weights row by row.

`Source` is the seam: safetensors folders (`folder.py`) have it, and each other kind of file that can be converted.
Weights are read by `pread` into memory of their own: mapped files would count as the process's memory while they last.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import StorageError
from mlx_engine.models.safetensors import TensorEntry
from mlx_engine.quantize.lineage import Extent
from mlx_engine.quantize.outline import Outline
from mlx_engine.quantize.recipe import Format

Rows = Callable[[int, int], mx.array]
"""Gives the rows [start, stop) of a matrix as [stop - start, columns]. Whatever a parameter's shape, its rows run along
its last axis, and all others count them: [128, 768, 2048] has 98,304 rows, a vector one. Any thread may call it and
gets an array of its own."""


class Source(Protocol):
    """A model to convert. Its methods are called from one thread; the `Rows` they return, from several."""

    @property
    def path(self) -> Path:
        """The folder or the file that it is."""

    @property
    def outline(self) -> Outline: ...

    @property
    def config(self) -> Mapping[str, Any]:
        """config.json of the network without quantization, with what mlx-lm adds to it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what this source loses or has lost already."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold the weights."""

    def rows(self, name: str) -> Rows:
        """Return the weights of a parameter in floating point, or as they are if they are no such numbers."""

    def packed(self, name: str, format: Format) -> Mapping[str, Rows] | None:
        """Return "weight", "scales" and maybe "biases" of a parameter that the source has in just this format.

        They are written as they are, without loss. None if it has not.
        """

    def write_companions(self, folder: Path) -> None:
        """Write what belongs beside the weights: the tokenizer, the chat template; no config.json."""

    def close(self) -> None: ...


_types = {
    "BOOL": mx.bool_,
    "U8": mx.uint8,
    "I8": mx.int8,
    "F8_E4M3": mx.uint8,
    "F8_E8M0": mx.uint8,
    "U16": mx.uint16,
    "I16": mx.int16,
    "F16": mx.float16,
    "BF16": mx.bfloat16,
    "U32": mx.uint32,
    "I32": mx.int32,
    "F32": mx.float32,
    "U64": mx.uint64,
    "I64": mx.int64,
    "C64": mx.complex64,
}
_names = {dtype: name for name, dtype in _types.items() if not name.startswith("F8")}
_unsigned = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def mlx_type(name: str) -> mx.Dtype | None:
    """Return the type in which MLX loads what safetensors calls `name`; None if it cannot."""
    return _types.get(name)


def safetensors_type(dtype: mx.Dtype) -> str:
    """Return how safetensors calls a type of MLX's."""
    return _names[dtype]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a shard, which is open as `descriptor`."""

    entry: TensorEntry
    path: Path
    descriptor: int


class Shards:
    """The open weight files of a model. An open file can be read to its end even if somebody removes it."""

    def __init__(self, headers: Mapping[Path, Mapping[str, TensorEntry]]) -> None:
        self.files = tuple(headers)
        self._descriptors: list[int] = []
        self.tensors: dict[str, Tensor] = {}
        for path, entries in headers.items():
            descriptor = self._open(path)
            self.tensors |= {name: Tensor(entry, path, descriptor) for name, entry in entries.items()}

    @property
    def entries(self) -> Mapping[str, TensorEntry]:
        return {name: tensor.entry for name, tensor in self.tensors.items()}

    def rows(self, extents: Sequence[Extent], columns: int, dtype: mx.Dtype) -> Rows:
        """Return the reader of a matrix whose bytes are those of `extents`, in their order."""
        return rows_of(extents, columns, dtype, self.read_into)

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the bytes [start, stop) of the data of a tensor."""
        buffer = np.empty(stop - start, dtype=np.uint8)
        self.read_into(name, start, buffer)
        return buffer

    def read_into(self, name: str, start: int, buffer: NDArray[np.uint8]) -> None:
        """Fill the buffer with the bytes from `start` on of the data of a tensor."""
        tensor = self.tensors[name]
        view, at = buffer.data, tensor.entry.offset + start
        try:
            while view:
                read = os.preadv(tensor.descriptor, [view], at)
                if not read:
                    raise StorageError(f"{tensor.path} has become shorter while it was read. Start again.")
                view, at = view[read:], at + read
        except OSError as error:
            raise StorageError(f"{tensor.path} cannot be read: {error.strerror}.") from error

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _open(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            self.close()
            raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
        self._descriptors.append(descriptor)
        return descriptor


ReadInto = Callable[[str, int, NDArray[np.uint8]], None]
"""Fills a buffer with the bytes from a place on of the data of a tensor, by its name."""


def rows_of(extents: Sequence[Extent], columns: int, dtype: mx.Dtype, read_into: ReadInto) -> Rows:
    """Return the reader of a matrix whose bytes are those of `extents`, in their order."""
    number: Any = _unsigned[dtype.size]

    def read(start: int, stop: int) -> mx.array:
        buffer = np.empty((stop - start, columns), dtype=number)
        _gather(buffer.reshape(-1).view(np.uint8), extents, start * columns * dtype.size, read_into)
        return mx.array(buffer).view(dtype)

    return read


def _gather(buffer: NDArray[np.uint8], extents: Sequence[Extent], start: int, read_into: ReadInto) -> None:
    """Fill the buffer with the bytes from `start` on of the extents joined."""
    filled, at = 0, 0
    for extent in extents:
        size = extent.stop - extent.start
        skipped = max(start + filled - at, 0)
        if skipped < size and filled < len(buffer):
            wanted = min(size - skipped, len(buffer) - filled)
            read_into(extent.tensor, extent.start + skipped, buffer[filled : filled + wanted])
            filled += wanted
        at += size
