"""What a conversion reads from: a model's outline, and its weights row by row.

`Source` is the seam: safetensors folders (`folder.py`) have it, and each other kind of file that can be converted.
Weights are read by `pread` into memory of their own: mapped files would count as the process's memory while they last.
"""

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel, StorageError
from mlx_engine.models.files.safetensors import TensorEntry, read_header
from mlx_engine.quantize.plan.lineage import Extent
from mlx_engine.quantize.plan.outline import Outline, Parameter
from mlx_engine.quantize.plan.supply import Supply
from mlx_engine.quantize.recipes.recipe import Format

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

    def needs(self, name: str) -> frozenset[str]:
        """Return the names of the files of which a parameter is made."""

    def forget(self, files: Collection[str]) -> None:
        """Close the files of these names, so that they take no room once they are removed."""

    def write_companions(self, folder: Path) -> None:
        """Write what belongs beside the weights: the tokenizer, the chat template; no config.json."""

    def close(self) -> None: ...


class Arriving(Protocol):
    """Files that are on their way, by their names. Any thread may ask."""

    def path(self, name: str) -> Path | None:
        """Return where the contents of a file are, whole and verified; None as long as it is not here."""

    def peek(self, name: str, start: int, stop: int) -> bytes:
        """Return a small piece of a file that may not be here yet."""


class NotArrived(StorageError):
    """More of a file is wanted than can be had before it is here."""


def supply_of(source: Source, parameters: Iterable[Parameter]) -> Supply:
    """Return which of the source's files each parameter needs."""
    needs = {parameter.name: source.needs(parameter.name) for parameter in parameters}
    return Supply([file.name for file in source.files], needs)


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
    """A tensor of the file `path`."""

    entry: TensorEntry
    path: Path


_PEEK_BYTES = 2**22
"""The most that is asked for of all files that are not here yet: that is how many weights it takes to see of what kind
they are."""


class Shards:
    """The weight files of a model, open: an open file can be read to its end even if somebody removes it.

    Of those that are `arriving` only the headers are here. Each is opened when it is first read.
    """

    def __init__(self, headers: Mapping[Path, Mapping[str, TensorEntry]], arriving: Arriving | None = None) -> None:
        self.files = tuple(headers)
        self.tensors = {
            name: Tensor(entry, path) for path, entries in headers.items() for name, entry in entries.items()
        }
        self._arriving = arriving
        self._descriptors: dict[Path, int] = {}
        self._opening = threading.Lock()
        self._peeked_bytes = 0
        if arriving is None:
            for path in headers:
                self._descriptors[path] = self._open(path)

    @property
    def entries(self) -> Mapping[str, TensorEntry]:
        return {name: tensor.entry for name, tensor in self.tensors.items()}

    def contents(self, file: Path) -> Path:
        """Return where the contents of a file are; where they are not here yet, where its header is."""
        return (self._arriving.path(file.name) if self._arriving else None) or file

    def rows(self, extents: Sequence[Extent], columns: int, dtype: mx.Dtype) -> Rows:
        """Return the reader of a matrix whose bytes are those of `extents`, in their order."""
        return rows_of(extents, columns, dtype, self.read_into)

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the bytes [start, stop) of the data of a tensor."""
        buffer = np.empty(stop - start, dtype=np.uint8)
        self.read_into(name, start, buffer)
        return buffer

    def read_into(self, name: str, start: int, buffer: NDArray[np.uint8]) -> None:
        """Fill the buffer with the bytes from `start` on of the data of a tensor.

        Raises:
            NotArrived: its file is not here yet, and too much was asked for already.
            StorageError: it cannot be read.
        """
        tensor = self.tensors[name]
        view, at = buffer.data, tensor.entry.offset + start
        descriptor = self._descriptor(tensor.path)
        if descriptor is None:
            view[:] = self._peek(tensor.path, at, at + len(buffer))
            return
        try:
            while view:
                read = os.preadv(descriptor, [view], at)
                if not read:
                    raise StorageError(f"{tensor.path} has become shorter while it was read. Start again.")
                view, at = view[read:], at + read
        except OSError as error:
            raise StorageError(f"{tensor.path} cannot be read: {error.strerror}.") from error

    def forget(self, files: Collection[str]) -> None:
        """Close the files of these names."""
        for path in [path for path in self._descriptors if path.name in files]:
            os.close(self._descriptors.pop(path))

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

    def _descriptor(self, path: Path) -> int | None:
        """Return the open file; None if it is not here."""
        if self._arriving is None:
            return self._descriptors[path]
        with self._opening:
            if path not in self._descriptors:
                found = self._arriving.path(path.name)
                if found is None:
                    return None
                self._require_header(path, found)
                self._descriptors[path] = self._open(found)
            return self._descriptors[path]

    def _require_header(self, path: Path, found: Path) -> None:
        """See that the whole file has the header that was known before, which nothing had verified."""
        known = {name: tensor.entry for name, tensor in self.tensors.items() if tensor.path == path}
        if read_header(found) != known:
            raise BrokenModel(f"{path.name} is another file than the Hub had shown before. Try again.")

    def _peek(self, path: Path, start: int, stop: int) -> bytes:
        self._peeked_bytes += stop - start
        if self._arriving is None or self._peeked_bytes > _PEEK_BYTES:
            raise NotArrived(f"{path.name} has to be here as a whole first. Download the model, then convert it.")
        piece = self._arriving.peek(path.name, start, stop)
        if len(piece) < stop - start:
            raise BrokenModel(f"{path.name} is shorter on the Hub than its header says. Choose another repository.")
        return piece

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDONLY)
        except OSError as error:
            self.close()
            raise StorageError(f"{path} cannot be read: {error.strerror}.") from error


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
