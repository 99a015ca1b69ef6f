"""The source of a conversion: a model's outline, and its weights row by row.

`Source` is the interface that safetensors folders (`folder.py`) and all other convertible files implement. Weights are
read by `pread` into separate buffers, because mapped files would count as memory of the process.
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
"""Returns the rows [start, stop) of a matrix as [stop - start, columns]. Rows of a parameter of any shape run along the
last axis: [128, 768, 2048] has 98,304 rows, a vector one. Thread-safe; each call returns a new array."""


class Source(Protocol):
    """A model to convert. Its methods are called from one thread, the returned `Rows` from several."""

    @property
    def path(self) -> Path:
        """The folder or file of the model."""

    @property
    def outline(self) -> Outline: ...

    @property
    def config(self) -> Mapping[str, Any]:
        """config.json of the unquantized network, including mlx-lm's additions."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about losses of this source, past or by conversion."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The weight files."""

    def rows(self, name: str) -> Rows:
        """Return the weights of a parameter in floating point, or unchanged if they are integers."""

    def packed(self, name: str, format: Format) -> Mapping[str, Rows] | None:
        """Return "weight", "scales" and maybe "biases" of a parameter that the source has in exactly this format.

        They are written unchanged, without loss. None if the source has another format.
        """

    def needs(self, name: str) -> frozenset[str]:
        """Return the names of the files that a parameter needs."""

    def forget(self, files: Collection[str]) -> None:
        """Close the files with these names, so that removing them frees their space."""

    def write_companions(self, folder: Path) -> None:
        """Write the files that accompany the weights (tokenizer, chat template), except config.json."""

    def close(self) -> None: ...


class ArrivingFiles(Protocol):
    """Files that are being downloaded, by name. Thread-safe."""

    def path(self, name: str) -> Path | None:
        """Return the path of a complete, verified file; None until it has arrived."""

    def peek(self, name: str, start: int, stop: int) -> bytes:
        """Return a small piece of a file that may not have arrived yet."""


class NotArrived(StorageError):
    """Too much of a file was requested before it has arrived."""


def supply_of(source: Source, parameters: Iterable[Parameter]) -> Supply:
    """Return the schedule of the source's files for `parameters`."""
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
    """Return the type of MLX for the safetensors type `name`; None if MLX cannot load it."""
    return _types.get(name)


def safetensors_type(dtype: mx.Dtype) -> str:
    """Return the name of a type of MLX in safetensors."""
    return _names[dtype]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the file `path`."""

    entry: TensorEntry
    path: Path


_PEEK_BYTES = 2**22
"""Most bytes to read from files that have not arrived yet: enough weights to detect their kind."""


class Shards:
    """The weight files of a model, open, so that a file can be read to its end even if it is removed.

    Only the headers of `arriving` files exist at first; each file is opened when it is first read.
    """

    def __init__(
        self, headers: Mapping[Path, Mapping[str, TensorEntry]], arriving: ArrivingFiles | None = None
    ) -> None:
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
        """Return the path of a file's contents, or of its header if it has not arrived yet."""
        return (self._arriving.path(file.name) if self._arriving else None) or file

    def rows(self, extents: Sequence[Extent], columns: int, dtype: mx.Dtype) -> Rows:
        """Return the reader of a matrix whose bytes are those of `extents`, in this order."""
        return rows_of(extents, columns, dtype, self.read_into)

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the bytes [start, stop) of a tensor's data."""
        buffer = np.empty(stop - start, dtype=np.uint8)
        self.read_into(name, start, buffer)
        return buffer

    def read_into(self, name: str, start: int, buffer: NDArray[np.uint8]) -> None:
        """Fill the buffer with bytes of a tensor's data, starting at `start`.

        Raises:
            NotArrived: the file has not arrived yet, and too much of it was requested.
            StorageError: the file cannot be read.
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
                    raise StorageError(f"{tensor.path} was truncated while it was read. Try again.")
                view, at = view[read:], at + read
        except OSError as error:
            raise StorageError(f"Couldn't read {tensor.path}: {error.strerror}.") from error

    def forget(self, files: Collection[str]) -> None:
        """Close the files with these names."""
        for path in [path for path in self._descriptors if path.name in files]:
            os.close(self._descriptors.pop(path))

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

    def _descriptor(self, path: Path) -> int | None:
        """Return the open file; None if it has not arrived."""
        if self._arriving is None:
            return self._descriptors[path]
        with self._opening:
            if path not in self._descriptors:
                contents = self._arriving.path(path.name)
                if contents is None:
                    return None
                self._require_header(path, contents)
                self._descriptors[path] = self._open(contents)
            return self._descriptors[path]

    def _require_header(self, path: Path, contents: Path) -> None:
        """Check that the complete file has the same header as read before, when nothing was verified."""
        expected = {name: tensor.entry for name, tensor in self.tensors.items() if tensor.path == path}
        if read_header(contents) != expected:
            raise BrokenModel(f"{path.name} has changed on the Hub. Try again.")

    def _peek(self, path: Path, start: int, stop: int) -> bytes:
        self._peeked_bytes += stop - start
        if self._arriving is None or self._peeked_bytes > _PEEK_BYTES:
            raise NotArrived(f"{path.name} must be downloaded completely first. Download the model, then convert it.")
        piece = self._arriving.peek(path.name, start, stop)
        if len(piece) < stop - start:
            raise BrokenModel(f"{path.name} on the Hub is shorter than its header states. Choose another repository.")
        return piece

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDONLY)
        except OSError as error:
            self.close()
            raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error


ReadInto = Callable[[str, int, NDArray[np.uint8]], None]
"""Fills a buffer with bytes of a tensor's data, from the tensor's name and an offset."""


def rows_of(extents: Sequence[Extent], columns: int, dtype: mx.Dtype, read_into: ReadInto) -> Rows:
    """Return the reader of a matrix whose bytes are those of `extents`, in this order."""
    number: Any = _unsigned[dtype.size]

    def read(start: int, stop: int) -> mx.array:
        buffer = np.empty((stop - start, columns), dtype=number)
        _gather(buffer.reshape(-1).view(np.uint8), extents, start * columns * dtype.size, read_into)
        return mx.array(buffer).view(dtype)

    return read


def _gather(buffer: NDArray[np.uint8], extents: Sequence[Extent], start: int, read_into: ReadInto) -> None:
    """Fill the buffer with bytes of the joined extents, starting at `start`."""
    filled, at = 0, 0
    for extent in extents:
        size = extent.stop - extent.start
        skipped = max(start + filled - at, 0)
        if skipped < size and filled < len(buffer):
            count = min(size - skipped, len(buffer) - filled)
            read_into(extent.tensor, extent.start + skipped, buffer[filled : filled + count])
            filled += count
        at += size
