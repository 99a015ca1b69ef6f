"""Matrices in the formats of compressed-tensors.

Integers ("pack-quantized") are packed along the inputs, lowest bits first, each offset by half of the range:
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
    """A matrix of packed integers."""

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
        packed_words = read_rows(self.tensors, f"{self.path}.weight_packed", start, stop)
        scales = read_floats(self.tensors, f"{self.path}.weight_scale", start, stop)
        return Integers(
            bits.unpack(packed_words, self.width)[:, : self.shape[1]], scales, -self._zeros(start, stop) * scales
        )

    def _zeros(self, start: int, stop: int) -> Any:
        """Return the zero points as unsigned values; by default the middle of the range."""
        name = f"{self.path}.weight_zero_point"
        if name not in self.tensors.entries:
            return np.float32(1 << (self.width - 1))
        packed: NDArray[Any] = read_all(self.tensors, name)
        if self.tensors.entries[name].dtype != "I32":
            return packed[start:stop].astype(np.float32) + (1 << (self.width - 1))
        return bits.unpack(np.ascontiguousarray(packed.T), self.width).T[start:stop].astype(np.float32)


def matrices(tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Matrix]:
    """Return the matrices of a model, by their names in the unquantized model.

    Raises:
        UnsupportedModel: the format is not supported.
        BrokenModel: the tensors are inconsistent.
    """
    match settings.get("format"):
        case "float-quantized" | "naive-quantized" | "int-quantized":
            return fp8.matrices(tensors, _weights_setting(settings, "block_structure"))
        case "nvfp4-pack-quantized":
            return micro_scaled.nvfp4(tensors, weight="weight_packed", global_scale="weight_global_scale")
        case "mxfp4-pack-quantized":
            return micro_scaled.mxfp4(tensors, weight="weight_packed")
        case "pack-quantized":
            width = _width(_weights_setting(settings, "num_bits"))
            paths = [name.removesuffix(".weight_packed") for name in tensors.entries if name.endswith(".weight_packed")]
            return {f"{path}.weight": _packed(tensors, path, width) for path in paths}
        case other:
            raise UnsupportedModel(
                f"Facet does not support the format {other!r} of compressed-tensors. Use the original, or a "
                "model in pack-quantized, float-quantized or nvfp4-pack-quantized."
            )


def _weights_setting(settings: Mapping[str, Any], field: str) -> Any:
    """Return the value of `field` for the weights of all groups of layers; None if they differ or lack it."""
    groups = list((settings.get("config_groups") or {}).values())
    values = [(group.get("weights") or {}).get(field) for group in groups]
    return values[0] if values and all(value == values[0] for value in values) else None


def _width(bits: object) -> int:
    if bits not in (2, 4, 8):
        raise UnsupportedModel("Facet supports this format only with 2, 4 or 8 bits, the same in all layers.")
    return bits


def _packed(tensors: Tensors, path: str, width: int) -> Matrix:
    entries, scales = tensors.entries, f"{path}.weight_scale"
    if scales not in entries:
        raise BrokenModel(f"The matrix {path!r} has no scales. Look for another version of the model.")
    if f"{path}.weight_g_idx" in entries:
        raise UnsupportedModel(f"Facet does not support reordered groups (weight_g_idx), as in {path!r}.")
    rows, packed_words = entries[f"{path}.weight_packed"].shape
    columns = packed_words * 32 // width
    if f"{path}.weight_shape" in entries:
        rows, columns = map(int, read_all(tensors, f"{path}.weight_shape").reshape(-1))
    groups = entries[scales].shape[-1]
    if columns % groups or entries[scales].shape[0] != rows:
        raise BrokenModel(f"The tensors of the matrix {path!r} don't match. Look for another version of the model.")
    return PackedIntegers(tensors, path, (rows, columns), width, columns // groups)
