"""Matrices in the containers of compressed-tensors: which of its formats is which kind of matrix.

Integers ("pack-quantized") are packed along the inputs, the lowest bits first, each with half of the range added:
weight_packed [outputs, inputs packed] in int32, weight_scale [outputs, groups], weight_zero_point [outputs packed,
groups]. Source: vllm-project/compressed-tensors, compressors/quantized_compressors/pack_quantized.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources import bits, fp8, micro_scaled
from mlx_engine.quantize.sources.matrix import (
    Arrays,
    Floats,
    Integers,
    Matrix,
    Tensors,
    affine_formats,
    read_all,
    read_floats,
    read_rows,
)


@dataclass(frozen=True, slots=True)
class PackedIntegers:
    """One matrix."""

    tensors: Tensors
    path: str
    shape: tuple[int, ...]
    width: int
    group_size: int

    @property
    def formats(self) -> tuple[Format, ...]:
        return affine_formats(self.width, self.group_size, self.shape[-1])

    def rows(self, start: int, stop: int) -> Floats:
        return self._integers(start, stop).floats()

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        return self._integers(start, stop).packed(format)

    def _integers(self, start: int, stop: int) -> Integers:
        words = read_rows(self.tensors, f"{self.path}.weight_packed", start, stop)
        scales = read_floats(self.tensors, f"{self.path}.weight_scale", start, stop)
        return Integers(bits.unpack(words, self.width)[:, : self.shape[1]], scales, -self._zeros(start, stop) * scales)

    def _zeros(self, start: int, stop: int) -> Any:
        """Return the zero points, counted from the lowest number; the middle where there are none."""
        name = f"{self.path}.weight_zero_point"
        if name not in self.tensors.entries:
            return np.float32(1 << (self.width - 1))
        packed: NDArray[Any] = read_all(self.tensors, name)
        if self.tensors.entries[name].dtype != "I32":
            return packed[start:stop].astype(np.float32) + (1 << (self.width - 1))
        return bits.unpack(np.ascontiguousarray(packed.T), self.width).T[start:stop].astype(np.float32)


def matrices(tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Matrix]:
    """Return the matrices of a model, by the names that they would have unquantized.

    Raises:
        UnsupportedModel: it is in a format that is not known here.
        BrokenModel: its tensors contradict each other.
    """
    match settings.get("format"):
        case "float-quantized" | "naive-quantized" | "int-quantized":
            return fp8.matrices(tensors, _of_weights(settings, "block_structure"))
        case "nvfp4-pack-quantized":
            return micro_scaled.nvfp4(tensors, weight="weight_packed", global_scale="weight_global_scale")
        case "mxfp4-pack-quantized":
            return micro_scaled.mxfp4(tensors, weight="weight_packed")
        case "pack-quantized":
            width = _width(_of_weights(settings, "num_bits"))
            paths = [name.removesuffix(".weight_packed") for name in tensors.entries if name.endswith(".weight_packed")]
            return {f"{path}.weight": _packed(tensors, path, width) for path in paths}
        case other:
            raise UnsupportedModel(
                f"This model is in the format {other!r} of compressed-tensors, which Facet does not read. Look for "
                "the original, or for one in pack-quantized, float-quantized or nvfp4-pack-quantized."
            )


def _of_weights(settings: Mapping[str, Any], field: str) -> Any:
    """Return what all groups of layers say of their weights, None if they differ or say nothing."""
    groups = list((settings.get("config_groups") or {}).values())
    values = [(group.get("weights") or {}).get(field) for group in groups]
    return values[0] if values and all(value == values[0] for value in values) else None


def _width(bits: object) -> int:
    if bits not in (2, 4, 8):
        raise UnsupportedModel(f"This model has weights of {bits} bits; Facet reads 2, 4 and 8, alike in all layers.")
    return bits


def _packed(tensors: Tensors, path: str, width: int) -> Matrix:
    entries, scales = tensors.entries, f"{path}.weight_scale"
    if scales not in entries:
        raise BrokenModel(f"The matrix {path!r} lacks its scales. Download the model again.")
    if f"{path}.weight_g_idx" in entries:
        raise UnsupportedModel(f"The groups of {path!r} are not in order (weight_g_idx), which Facet does not read.")
    rows, words = entries[f"{path}.weight_packed"].shape
    columns = words * 32 // width
    if f"{path}.weight_shape" in entries:
        rows, columns = map(int, read_all(tensors, f"{path}.weight_shape").reshape(-1))
    groups = entries[scales].shape[-1]
    if columns % groups or entries[scales].shape[0] != rows:
        raise BrokenModel(f"The tensors of the matrix {path!r} do not fit together.")
    return PackedIntegers(tensors, path, (rows, columns), width, columns // groups)
