"""Ternary weights of BitNet models: packed four to a byte, or as the floats they were trained in.

Packed: byte [i, j] of a matrix of 4n rows holds the weights of rows i, i + n, i + 2n and i + 3n, the first in the low
bits, each stored as its value plus 1. As floats ("online"), the effective weight is s * clip(round(w / s), -1, 1),
where s is the mean of all |w|. Either way a weight is -s, 0 or s, with one s per matrix. MLX's affine quantization
represents this exactly in 2 bits, as s * q - s.

BitNet also rounds activations to 8 bits at run time. That is not a property of the weights: neither mlx-lm's
kernel nor a converted model does it, and leaving it out is more accurate.

Sources: transformers 5, integrations/bitnet.py; mlx-lm 0.32, models/bitlinear_layers.py.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources.matrix import (
    Arrays,
    Floats,
    Integers,
    Matrix,
    Tensors,
    affine_formats,
    read_floats,
    read_rows,
)

_max_group_size = 128
_slice_rows = 256
_sampled_rows = 8


@dataclass(frozen=True, slots=True)
class PackedTernary:
    """A matrix with four weights to a byte, and one scale."""

    tensors: Tensors
    name: str
    shape: tuple[int, ...]
    scale: float

    @property
    def formats(self) -> tuple[Format, ...]:
        return affine_formats(2, _max_group_size, self.shape[-1])

    def rows(self, start: int, stop: int) -> Floats:
        return self._integers(start, stop).floats()

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        return self._integers(start, stop).packed(format)

    def _integers(self, start: int, stop: int) -> Integers:
        quarter = self.shape[0] // 4
        pieces = []
        while start < stop:
            part, first = divmod(start, quarter)
            last = min(first + stop - start, quarter)
            pieces.append(read_rows(self.tensors, self.name, first, last) >> np.uint8(2 * part) & np.uint8(3))
            start += last - first
        return _with_scale(np.concatenate(pieces), self.scale)


@dataclass(frozen=True, slots=True)
class TernaryFloats:
    """A matrix of floats that are rounded to the nearest of -scale, 0 and scale. `scale` is computed on first use."""

    tensors: Tensors
    name: str
    shape: tuple[int, ...]
    scale: Callable[[], float]

    @property
    def formats(self) -> tuple[Format, ...]:
        return affine_formats(2, _max_group_size, self.shape[-1])

    def rows(self, start: int, stop: int) -> Floats:
        return self._integers(start, stop).floats()

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        return self._integers(start, stop).packed(format)

    def _integers(self, start: int, stop: int) -> Integers:
        weights = read_floats(self.tensors, self.name, start, stop)
        inverse = np.float32(1) / np.float32(self.scale())
        return _with_scale((np.clip(np.rint(weights * inverse), -1, 1) + 1).astype(np.uint8), self.scale())


def _with_scale(quants: np.ndarray[Any, np.dtype[np.uint8]], scale: float) -> Integers:
    scales = np.full((len(quants), 1), scale, np.float32)
    return Integers(quants, scales, -scales)


def matrices(tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Matrix]:
    """Return the ternary matrices of a model, by the name of the tensor; `settings` is its quantization_config.

    Raises:
        UnsupportedModel: its layers do more than multiply by ternary weights.
        BrokenModel: a scale is missing or not valid.
    """
    if settings.get("use_rms_norm") or any(name.endswith(".rms_norm.weight") for name in tensors.entries):
        raise UnsupportedModel(
            "mlx-lm does not support BitNet models that normalize the input of every linear layer (use_rms_norm)."
        )
    if settings.get("quantization_mode") == "online":
        excluded = tuple(settings.get("modules_to_not_convert") or ())
        return {name: _floats(tensors, name) for name in _projections(tensors) if not name.startswith(excluded)}
    is_inverse = settings.get("linear_class", "bitlinear") != "autobitlinear"
    packed = [name for name, entry in tensors.entries.items() if entry.dtype == "U8" and name.endswith(".weight")]
    return {name: _packed(tensors, name, is_inverse=is_inverse) for name in packed}


def ternary_matrices(tensors: Tensors) -> dict[str, Matrix]:
    """Return all projections of the model if every weight of each is -s, 0 or s; otherwise none.

    A few rows of each are tested first, so that only models that are very likely ternary are read in full.
    """
    names = _projections(tensors)
    if not all(_looks_ternary(tensors, name) for name in names):
        return {}
    if not all(_measure(tensors, name).is_ternary for name in names):
        return {}
    return {name: _floats(tensors, name) for name in names}


def _looks_ternary(tensors: Tensors, name: str) -> bool:
    """Return True if rows across the matrix contain -s and s and otherwise only 0; zeros alone are not enough."""
    count = tensors.entries[name].shape[0]
    values = set[float]()
    for row in sorted({count * part // _sampled_rows for part in range(_sampled_rows)}):
        values |= set(np.unique(read_floats(tensors, name, row, row + 1)).tolist())
        if len(values) > len((-1, 0, 1)):
            return False
    size = max(values)
    return math.isfinite(size) and size > 0 and -size in values and values <= {-size, 0, size}


@dataclass(frozen=True, slots=True)
class _Magnitudes:
    """Magnitudes of a matrix's weights; ternary if all nonzero ones are equal."""

    is_ternary: bool
    largest: float
    mean: float


def _measure(tensors: Tensors, name: str) -> _Magnitudes:
    """Measure all rows."""
    count, columns = tensors.entries[name].shape
    largest, total, is_ternary = 0.0, 0.0, True
    for start in range(0, count, _slice_rows):
        sizes = np.abs(read_floats(tensors, name, start, min(start + _slice_rows, count)))
        largest = largest or float(sizes.max())
        is_ternary = is_ternary and bool(((sizes == 0) | (sizes == largest)).all())
        total += float(sizes.sum(dtype=np.float64))
    return _Magnitudes(is_ternary and math.isfinite(largest), largest, total / (count * columns))


def _projections(tensors: Tensors) -> list[str]:
    """Return the names of the floating-point projections within layers, without the head."""
    return [
        name
        for name, entry in tensors.entries.items()
        if len(entry.shape) == 2 and name.endswith("_proj.weight") and entry.dtype in ("BF16", "F16", "F32")
    ]


def _floats(tensors: Tensors, name: str) -> Matrix:
    @functools.cache
    def scale() -> float:
        sizes = _measure(tensors, name)
        # Weights that are already ternary keep their scale.
        return sizes.largest if sizes.is_ternary and sizes.largest else float(np.float32(max(sizes.mean, 1e-5)))

    return TernaryFloats(tensors, name, tensors.entries[name].shape, scale)


def _packed(tensors: Tensors, name: str, *, is_inverse: bool) -> Matrix:
    scale_name = f"{name}_scale"
    if scale_name not in tensors.entries:
        raise BrokenModel(
            f"The ternary matrix {name!r} has no scale ({scale_name}). Look for another version of the model."
        )
    value = read_floats(tensors, scale_name, 0, 1).reshape(-1)[0]
    scale = float(np.float32(1) / value if is_inverse else value) if value else math.nan
    if not math.isfinite(scale):
        raise BrokenModel(f"The scale of {name!r} is not valid: {value}. Look for another version of the model.")
    rows, columns = tensors.entries[name].shape
    return PackedTernary(tensors, name, (4 * rows, columns), scale)
