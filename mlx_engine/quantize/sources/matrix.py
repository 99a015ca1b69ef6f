"""A quantized matrix of another program: its weights, and the formats of MLX that hold them unchanged, if any."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.modes import AFFINE
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources import bits, small_floats

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]
"""The arrays of a packed matrix by suffix: "weight" in uint32, "scales", and "biases" if there are any. Floating-point
scales and biases are in float32; the caller casts them."""


class Matrix(Protocol):
    """A matrix [..., columns] that is stored in several tensors; its rows are numbered across all leading axes."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the unpacked matrix."""

    @property
    def formats(self) -> tuple[Format, ...]:
        """Return the formats of MLX that hold its weights unchanged, the largest groups first."""

    def rows(self, start: int, stop: int) -> Floats:
        """Return the weights of the rows [start, stop) as [rows, columns]."""

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        """Return the rows [start, stop) as MLX packs them in one of `formats`."""


class Tensors(Protocol):
    """The tensors of a model's files, read piece by piece."""

    @property
    def entries(self) -> Mapping[str, TensorEntry]:
        """Return the type and the shape of each tensor, by name."""

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        """Return the bytes [start, stop) of a tensor's data."""


def read_rows(tensors: Tensors, name: str, start: int, stop: int) -> NDArray[Any]:
    """Return rows of a tensor [rows, last dimension]; types that numpy lacks as their bits."""
    entry = tensors.entries[name]
    columns = entry.shape[-1] if entry.shape else 1
    number = _numbers[entry.dtype]
    row_bytes = columns * number.itemsize
    rows: NDArray[Any] = tensors.read(name, start * row_bytes, stop * row_bytes).view(number)
    return rows.reshape(stop - start, columns)


def read_all(tensors: Tensors, name: str) -> NDArray[Any]:
    """Return a whole tensor [rows, last dimension]."""
    shape = tensors.entries[name].shape
    return read_rows(tensors, name, 0, math.prod(shape[:-1]))


def read_floats(tensors: Tensors, name: str, start: int = 0, stop: int | None = None) -> Floats:
    """Return rows of a tensor in float32, by default all."""
    entry = tensors.entries[name]
    numbers = read_rows(tensors, name, start, math.prod(entry.shape[:-1]) if stop is None else stop)
    if entry.dtype == "BF16":
        return (numbers.astype(np.uint32) << 16).view(np.float32)
    floats: Floats = _tables[entry.dtype][numbers] if entry.dtype in _tables else numbers.astype(np.float32)
    return floats


_numbers: dict[str, np.dtype[Any]] = {
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "F8_E4M3": np.dtype("u1"),
    "F8_E5M2": np.dtype("u1"),
    "F8_E8M0": np.dtype("u1"),
    "I16": np.dtype("<i2"),
    "U16": np.dtype("<u2"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "I32": np.dtype("<i4"),
    "U32": np.dtype("<u4"),
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
}
_tables = {"F8_E4M3": small_floats.E4M3, "F8_E5M2": small_floats.E5M2, "F8_E8M0": small_floats.E8M0}


@dataclass(frozen=True, slots=True)
class Integers:
    """Rows of weights that are scale * quant + bias: `quants` [rows, columns], the others [rows, groups]."""

    quants: NDArray[np.uint8]
    scales: Floats
    biases: Floats

    def floats(self) -> Floats:
        """Return the weights."""
        rows, columns = self.quants.shape
        grouped = self.quants.reshape(rows, self.scales.shape[1], -1)
        return (self.scales[..., None] * grouped + self.biases[..., None]).reshape(rows, columns)

    def packed(self, format: Format) -> Arrays:
        """Return the packed rows; if the groups of `format` are smaller, scales and biases are repeated."""
        groups = self.quants.shape[1] // format.group_size
        repeats = groups // self.scales.shape[1]
        return {
            "weight": bits.pack(self.quants, format.bits),
            "scales": np.repeat(self.scales, repeats, axis=1),
            "biases": np.repeat(self.biases, repeats, axis=1),
        }


def affine_formats(width: int, group_size: int, columns: int) -> tuple[Format, ...]:
    """Return the affine formats of MLX for integers of `width` bits in groups of `group_size` or a divisor of it."""
    if width not in AFFINE.bits:
        return ()
    groups = (size for size in sorted(AFFINE.groups, reverse=True) if group_size % size == 0 and columns % size == 0)
    return tuple(Format(AFFINE.name, width, size) for size in groups)
