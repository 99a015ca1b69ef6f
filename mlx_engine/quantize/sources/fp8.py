"""Matrices of 8-bit floats or integers with scales: one per matrix, per row, or per block.

A weight is its number times the scale of its block; DeepSeek calls that factor `weight_scale_inv`, others
`weight_scale`. MLX has no such blocks (the scales of its mxfp8 are powers of two), so the weights become floats.

Sources: deepseek-ai/DeepSeek-V3, inference/fp8_cast_bf16.py; vllm-project/compressed-tensors, README and
compressors/naive_quantized.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources.matrix import Arrays, Floats, Matrix, Tensors, read_floats

_scale_names = ("weight_scale_inv", "weight_scale")
_stored = ("F8_E4M3", "F8_E5M2", "I8")


@dataclass(frozen=True, slots=True)
class Scaled:
    """A matrix of 8-bit numbers; `block` is the number of rows and columns that share a scale."""

    tensors: Tensors
    path: str
    scales_name: str
    shape: tuple[int, ...]
    block: tuple[int, int]

    @property
    def formats(self) -> tuple[Format, ...]:
        return ()

    def rows(self, start: int, stop: int) -> Floats:
        numbers = read_floats(self.tensors, f"{self.path}.weight", start, stop)
        height, width = self.block
        scales = read_floats(self.tensors, self.scales_name) if self.tensors.entries[self.scales_name].shape else None
        if scales is None or scales.size == 1:
            return numbers * read_floats(self.tensors, self.scales_name, 0, 1).reshape(())
        per_row = scales.reshape(-(-_rows(self.shape) // height), -1)[np.arange(start, stop) // height]
        return numbers * np.repeat(per_row, width, axis=1)[:, : self.shape[-1]]

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        raise NotImplementedError(f"{self.path}, rows {start} to {stop}, is not available as {format}")


def matrices(tensors: Tensors, block: Sequence[int] | None = None) -> dict[str, Matrix]:
    """Return the matrices of a model that have scales, by name.

    `block` is the number of rows and columns that share a scale, from config.json; the shapes are the fallback.

    Raises:
        UnsupportedModel: the 8-bit numbers have no scales in a supported form.
        BrokenModel: the shapes don't match.
    """
    paths = [
        name.removesuffix(".weight")
        for name, entry in tensors.entries.items()
        if name.endswith(".weight") and entry.dtype in _stored and len(entry.shape) > 1
    ]
    return {f"{path}.weight": _matrix(tensors, path, block) for path in paths}


def _matrix(tensors: Tensors, path: str, block: Sequence[int] | None) -> Matrix:
    scales_name = next((f"{path}.{end}" for end in _scale_names if f"{path}.{end}" in tensors.entries), None)
    if scales_name is None:
        raise UnsupportedModel(f"The 8-bit numbers of {path!r} have no scales ({' or '.join(_scale_names)}).")
    if any(f"{path}.{end}" in tensors.entries for end in ("weight_zero_point", "weight_scale_2")):
        raise UnsupportedModel(f"The 8-bit numbers of {path!r} have zero points, which Facet does not support.")
    shape, scales = tensors.entries[f"{path}.weight"].shape, tensors.entries[scales_name]
    return Scaled(tensors, path, scales_name, shape, _block(path, shape, scales.shape, block))


def _block(
    path: str, shape: tuple[int, ...], scales: tuple[int, ...], declared: Sequence[int] | None
) -> tuple[int, int]:
    rows, columns = _rows(shape), shape[-1]
    if math.prod(scales) == 1:
        return rows, columns
    if len(scales) == 1:
        scales = (*scales, 1)
    down, across = math.prod(scales[:-1]), scales[-1]
    height, width = declared or (rows // down, columns // across)
    if (
        height * down < rows
        or height * (down - 1) >= rows
        or width * across < columns
        or width * (across - 1) >= columns
    ):
        raise BrokenModel(f"The scales of {path!r} don't match its weights. Look for another version of the model.")
    return height, width


def _rows(shape: tuple[int, ...]) -> int:
    return math.prod(shape[:-1])
