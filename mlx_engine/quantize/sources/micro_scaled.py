"""Matrices of 4-bit floats (E2M1) in groups: NVFP4 of 16 weights, MXFP4 of 32.

Published by gpt-oss (`_blocks`, `_scales`: MXFP4), compressed-tensors (`weight_packed`, `weight_scale`) and NVIDIA's
ModelOpt (`weight` in bytes, `weight_scale`). MXFP4 is the same in MLX, so it stays unchanged. Published NVFP4 also has
a scale for the whole matrix, which MLX's linear layers do not support, so it becomes floats. compressed-tensors divides
by that scale (`weight_global_scale`), ModelOpt multiplies by it (`weight_scale_2`).

Sources: OCP Microscaling Formats 1.0; vllm-project/compressed-tensors, compressors/nvfp4_quantized;
NVIDIA/TensorRT-Model-Optimizer, torch/quantization/qtensor/nvfp4_tensor.py; openai/gpt-oss, gpt_oss/torch/weights.py.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel
from mlx_engine.modes import MODES, MXFP4, NVFP4, ScaleType
from mlx_engine.quantize.recipes.recipe import Format, fixed_format
from mlx_engine.quantize.sources import bits, small_floats
from mlx_engine.quantize.sources.matrix import Arrays, Floats, Matrix, Tensors, read_floats

_mxfp4, _nvfp4 = fixed_format(MXFP4), fixed_format(NVFP4)
_scale_values: Mapping[ScaleType, Floats] = {"E8M0": small_floats.E8M0, "E4M3": small_floats.E4M3}


@dataclass(frozen=True, slots=True)
class MicroScaled:
    """A matrix; `factor` applies to all of it, None if there is none.

    It consists of every `every`-th row of the tensors, starting at `first`.
    """

    tensors: Tensors
    weight: str
    scales: str
    shape: tuple[int, ...]
    format: Format
    factor: float | None = None
    every: int = 1
    first: int = 0

    @property
    def formats(self) -> tuple[Format, ...]:
        return () if self.factor is not None else (self.format,)

    def rows(self, start: int, stop: int) -> Floats:
        weights = small_floats.E2M1[bits.unpack(self._bytes(self.weight, start, stop), 4)]
        scales = _scale_values[MODES[self.format.mode].scale_type][self._bytes(self.scales, start, stop)]
        if self.factor is not None:
            scales = scales * np.float32(self.factor)
        return (weights.reshape(*scales.shape, -1) * scales[..., None]).reshape(len(weights), -1)

    def packed(self, start: int, stop: int, format: Format) -> Arrays:  # noqa: ARG002 - there is only one
        weight = np.ascontiguousarray(self._bytes(self.weight, start, stop))
        return {"weight": weight.view(np.uint32), "scales": self._bytes(self.scales, start, stop)}

    def _bytes(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        """Return rows of a tensor of bytes as [rows, bytes]; gpt-oss splits its rows into blocks."""
        size = self.tensors.entries[name].size_bytes // (math.prod(self.shape[:-1]) * self.every)
        data = self.tensors.read(name, start * self.every * size, stop * self.every * size)
        return data.reshape(-1, self.every, size)[:, self.first]


@dataclass(frozen=True, slots=True)
class Strided:
    """Every `every`-th value of each of several vectors [vectors, columns], starting at `first`."""

    tensors: Tensors
    name: str
    shape: tuple[int, ...]
    every: int
    first: int

    @property
    def formats(self) -> tuple[Format, ...]:
        return ()

    def rows(self, start: int, stop: int) -> Floats:
        return read_floats(self.tensors, self.name, start, stop)[:, self.first :: self.every]

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        raise NotImplementedError(f"{self.name}, rows {start} to {stop}, is not available as {format}")


def nvfp4(tensors: Tensors, *, weight: str, global_scale: str) -> dict[str, Matrix]:
    """Return the NVFP4 matrices with the suffix `weight`, by their names in the unquantized model."""
    invert: Callable[[float], float] = (lambda value: 1 / value) if global_scale == "weight_global_scale" else float
    return {
        f"{path}.weight": _matrix(
            tensors, path, weight, _nvfp4, factor=invert(_scalar(tensors, f"{path}.{global_scale}"))
        )
        for path in _paths(tensors, weight)
    }


def mxfp4(tensors: Tensors, *, weight: str) -> dict[str, Matrix]:
    """Return the MXFP4 matrices with the suffix `weight`, by their names in the unquantized model."""
    return {f"{path}.weight": _matrix(tensors, path, weight, _mxfp4, factor=None) for path in _paths(tensors, weight)}


def gpt_oss(tensors: Tensors) -> dict[str, Matrix]:
    """Return the experts of gpt-oss by their names in mlx-lm, with their biases.

    Gate and up projections are alternating rows of one tensor, and alternating values of its bias.
    """
    matrices: dict[str, Matrix] = {}
    for stem in (name.removesuffix("_blocks") for name in tensors.entries if name.endswith("_blocks")):
        blocks, scales, bias = f"{stem}_blocks", f"{stem}_scales", f"{stem}_bias"
        if scales not in tensors.entries or bias not in tensors.entries:
            raise BrokenModel(
                f"The matrix {stem!r} lacks its scales or its bias. Look for another version of the model."
            )
        experts, rows, groups, _ = tensors.entries[blocks].shape
        for path, every, first in _parts(stem):
            shape = (experts, rows // every, groups * _mxfp4.group_size)
            matrices[f"{path}.weight"] = MicroScaled(tensors, blocks, scales, shape, _mxfp4, every=every, first=first)
            matrices[f"{path}.bias"] = Strided(tensors, bias, shape[:2], every, first)
    return matrices


def _parts(stem: str) -> tuple[tuple[str, int, int], ...]:
    """Return name, stride and first row of each matrix in a tensor."""
    if not stem.endswith("gate_up_proj"):
        return ((stem, 1, 0),)
    path = stem.removesuffix("gate_up_proj")
    return (f"{path}gate_proj", 2, 0), (f"{path}up_proj", 2, 1)


def _paths(tensors: Tensors, weight: str) -> list[str]:
    """Return the paths of layers with a tensor of bytes `weight` and its scales."""
    return [
        name.removesuffix(f".{weight}")
        for name, entry in tensors.entries.items()
        if name.endswith(f".{weight}")
        and entry.dtype == "U8"
        and f"{name.removesuffix(f'.{weight}')}.weight_scale" in tensors.entries
    ]


def _matrix(tensors: Tensors, path: str, weight: str, format: Format, *, factor: float | None) -> Matrix:
    *rest, size = tensors.entries[f"{path}.{weight}"].shape
    shape, scales = (*rest, 2 * size), f"{path}.weight_scale"
    if math.prod(tensors.entries[scales].shape) * format.group_size != math.prod(shape):
        raise BrokenModel(f"The scales of {path!r} don't match its weights. Look for another version of the model.")
    return MicroScaled(tensors, f"{path}.{weight}", scales, shape, format, factor)


def _scalar(tensors: Tensors, name: str) -> float:
    if name not in tensors.entries:
        raise BrokenModel(f"The scale {name!r} is missing. Look for another version of the model.")
    value = float(read_floats(tensors, name, 0, 1).reshape(-1)[0])
    if not math.isfinite(value) or value == 0:
        raise BrokenModel(f"The scale {name!r} is not valid: {value}. Look for another version of the model.")
    return value
