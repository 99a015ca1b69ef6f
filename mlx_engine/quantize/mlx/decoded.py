"""Source for a model that another program has quantized.

mlx-lm sees the model as if it were unquantized, in float32, so that it renames matrices, stacks experts and splits
fused matrices as in the original. If it has moved only whole rows, and MLX has a format for the stored weights, they
stay packed.
"""

import functools
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import msgspec
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel
from mlx_engine.models.files import foreign_errors as foreign
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.modes import MODES
from mlx_engine.quantize.mlx.network import Network
from mlx_engine.quantize.mlx.source import Rows, mlx_type, rows_of
from mlx_engine.quantize.mlx.tracing import Origin, trace
from mlx_engine.quantize.plan.outline import Outline, Parameter
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources.matrix import Arrays, Matrix

_cached_pieces = 8
"""Packed pieces in the cache: weights, scales and biases of a piece are requested one after the other."""


class PlainTensors(Protocol):
    """The open files of a model, such as `source.Shards`."""

    @property
    def files(self) -> tuple[Path, ...]: ...

    @property
    def entries(self) -> Mapping[str, TensorEntry]: ...

    def read_into(self, name: str, start: int, buffer: NDArray[np.uint8]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of the files: `matrices` by their names in the unquantized model, and the names of `plain` tensors.

    `config` is that of the unquantized model.
    """

    path: Path
    config: Mapping[str, Any]
    tensors: PlainTensors
    plain: tuple[str, ...]
    matrices: Mapping[str, Matrix]
    quantization: str
    """As the library shows it."""
    notes: tuple[str, ...]
    write_companions: Callable[[Path], None]
    uncast: frozenset[str] = frozenset()
    """Parameters that stay in float32, because the model's type would change their values."""


class DecodedSource:
    """A `Source`.

    Raises:
        ModelError: the files contradict each other, or mlx-lm does not run the model.
    """

    def __init__(self, contents: Contents) -> None:
        self.path = contents.path
        self._contents = contents
        entries = {name: contents.tensors.entries[name] for name in contents.plain}
        entries |= {name: _unpacked(matrix) for name, matrix in contents.matrices.items()}
        self._entries = entries
        self._traced = trace(contents.config, entries, name=self.path.name, quantization=contents.quantization)
        parameters = tuple(map(self._with_format, self._traced.outline.parameters))
        self._outline = msgspec.structs.replace(self._traced.outline, parameters=parameters)

    @property
    def outline(self) -> Outline:
        return self._outline

    @property
    def config(self) -> Mapping[str, Any]:
        return self._traced.config

    @property
    def notes(self) -> tuple[str, ...]:
        return self._contents.notes

    @property
    def files(self) -> tuple[Path, ...]:
        return self._contents.tensors.files

    def rows(self, name: str) -> Rows:
        origin = self._traced.arrays[name]
        columns = origin.shape[-1] if origin.shape else 1
        if origin.lineage.extents is not None:
            return rows_of(origin.lineage.extents, columns, origin.dtype, self._read_into)
        array = self._calculate(name, origin).reshape(-1, columns)
        mx.eval(array)
        return lambda start, stop: array[start:stop]

    def packed(self, name: str, format: Format) -> Mapping[str, Rows] | None:
        pieces = self._pieces(self._traced.arrays[name])
        if not pieces or not _all_have(pieces, format):
            return None

        @functools.lru_cache(maxsize=_cached_pieces)
        def read(start: int, stop: int) -> Arrays:
            return _joined(pieces, start, stop, format)

        def part(key: str) -> Rows:
            return lambda start, stop: mx.array(read(start, stop)[key])

        return {key: part(key) for key in MODES[format.mode].arrays}

    def needs(self, name: str) -> frozenset[str]:  # noqa: ARG002 - the same of all
        """Return all files: parts of a matrix can be anywhere."""
        return frozenset(file.name for file in self.files)

    def forget(self, files: Collection[str]) -> None:
        """Do nothing: the files stay open until the source is closed."""

    def write_companions(self, folder: Path) -> None:
        self._contents.write_companions(folder)

    def close(self) -> None:
        self._contents.tensors.close()

    def _with_format(self, parameter: Parameter) -> Parameter:
        pieces = self._pieces(self._traced.arrays[parameter.name]) if parameter.can_be_quantized else ()
        shared = [form for form in pieces[0].matrix.formats if _all_have(pieces, form)] if pieces else []
        return msgspec.structs.replace(
            parameter,
            stored=shared[0] if shared else None,
            can_be_cast=parameter.can_be_cast and parameter.name not in self._contents.uncast,
        )

    def _pieces(self, origin: Origin) -> "tuple[_Piece, ...]":
        """Return the pieces of matrices that make up an array, in order; none if it does not consist of whole rows."""
        pieces = []
        for extent in origin.lineage.extents or ():
            matrix = self._contents.matrices.get(extent.tensor)
            row_bytes = 4 * origin.shape[-1]
            if matrix is None or matrix.shape[-1] != origin.shape[-1]:
                return ()
            if extent.start % row_bytes or extent.stop % row_bytes:
                return ()
            pieces.append(_Piece(matrix, extent.start // row_bytes, extent.stop // row_bytes))
        return tuple(pieces)

    def _read_into(self, name: str, start: int, buffer: NDArray[np.uint8]) -> None:
        """Fill the buffer with bytes of a tensor as mlx-lm sees it, starting at `start`."""
        matrix = self._contents.matrices.get(name)
        if matrix is None:
            self._contents.tensors.read_into(name, start, buffer)
            return
        row_bytes = 4 * matrix.shape[-1]
        stop = start + len(buffer)
        first, last = start // row_bytes, -(-stop // row_bytes)
        rows = np.ascontiguousarray(matrix.rows(first, last), np.float32).reshape(-1).view(np.uint8)
        buffer[:] = rows[start - first * row_bytes : stop - first * row_bytes]

    def _calculate(self, name: str, origin: Origin) -> mx.array:
        """Calculate a whole array in MLX from the tensors that contribute to it, with placeholders for all others."""
        weights = {
            tensor: self._whole(tensor) if tensor in origin.lineage.tensors else self._placeholder(tensor)
            for tensor in self._entries
        }
        try:
            array: mx.array = Network(self.config).sanitize(weights)[name]
            mx.eval(array)
        except foreign.FOREIGN_ERRORS as error:
            raise foreign.translate(error, self.path.name) from error
        if tuple(array.shape) != origin.shape:
            raise BrokenModel(
                f"{self.path.name}: {name} depends on the values of weights, so Facet can't convert the model."
            )
        return array

    def _whole(self, name: str) -> mx.array:
        entry = self._entries[name]
        placeholder = self._placeholder(name)
        buffer = np.empty(entry.size_bytes, np.uint8)
        self._read_into(name, 0, buffer)
        return mx.array(buffer).view(placeholder.dtype).reshape(entry.shape)

    def _placeholder(self, name: str) -> mx.array:
        entry = self._entries[name]
        dtype: Any = mlx_type(entry.dtype)
        return mx.zeros(entry.shape, dtype)


@dataclass(frozen=True, slots=True)
class _Piece:
    """The rows [start, stop) of a matrix."""

    matrix: Matrix
    start: int
    stop: int


def _all_have(pieces: tuple[_Piece, ...], format: Format) -> bool:
    return all(format in piece.matrix.formats for piece in pieces)


def _joined(pieces: tuple[_Piece, ...], start: int, stop: int, format: Format) -> Arrays:
    """Return the rows [start, stop) of the joined pieces, packed."""
    at = 0
    packed = []
    for piece in pieces:
        first, last = max(start - at, 0), min(stop - at, piece.stop - piece.start)
        if first < last:
            packed.append(piece.matrix.packed(piece.start + first, piece.start + last, format))
        at += piece.stop - piece.start
    return {name: np.concatenate([arrays[name] for arrays in packed]) for name in packed[0]}


def _unpacked(matrix: Matrix) -> TensorEntry:
    return TensorEntry("F32", matrix.shape, 0, 4 * math.prod(matrix.shape))
