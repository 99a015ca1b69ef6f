"""Matrices of AutoAWQ and GPTQ: integers packed into 32-bit words, with scales and zero points.

Both store the transpose: `scales` [groups, outputs], `qzeros` [groups, outputs packed]. GPTQ packs `qweight` along the
inputs, [inputs packed, outputs], and may assign inputs to groups in any order (`g_idx`); its first version stores zero
points minus 1. AWQ packs it along the outputs, [inputs, outputs packed], eight at a time in a special order.

A weight is (quant - zero) * scale. Sources: AutoAWQ 0.2, awq/modules/linear/gemm.py and awq/utils/packing_utils.py;
GPTQModel 2, gptqmodel/nn_modules/qlinear; mlx-lm 0.32, utils._transform_awq_weights, which supports only AWQ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources import bits
from mlx_engine.quantize.sources.matrix import (
    Arrays,
    Floats,
    Integers,
    Matrix,
    Tensors,
    affine_formats,
    read_all,
    read_floats,
)

_awq_order = (0, 4, 1, 5, 2, 6, 3, 7)
"""Position of each of eight outputs in a word of AWQ."""
_widths = (2, 3, 4, 8)


@dataclass(frozen=True, slots=True)
class TransposedIntegers:
    """A matrix of packed integers. It is read as a whole, in packed form, because a row is spread over the tensor.

    `zero_offset` is added to the stored zero points. `groups` [inputs] has the group of each input, if they are not in
    order.
    """

    tensors: Tensors
    path: str
    shape: tuple[int, ...]
    width: int
    group_size: int
    is_awq: bool
    zero_offset: int
    groups: NDArray[np.int32] | None

    @property
    def formats(self) -> tuple[Format, ...]:
        return () if self.groups is not None else affine_formats(self.width, self.group_size, self.shape[-1])

    def rows(self, start: int, stop: int) -> Floats:
        if self.groups is None:
            return self._integers(start, stop).floats()
        scales, zeros = self._scales(start, stop), self._zeros(start, stop)
        return (self._quants(start, stop) - zeros[:, self.groups]) * scales[:, self.groups]

    def packed(self, start: int, stop: int, format: Format) -> Arrays:
        return self._integers(start, stop).packed(format)

    def _integers(self, start: int, stop: int) -> Integers:
        scales = self._scales(start, stop)
        return Integers(self._quants(start, stop), scales, -self._zeros(start, stop) * scales)

    def _quants(self, start: int, stop: int) -> NDArray[np.uint8]:
        packed_words = read_all(self.tensors, f"{self.path}.qweight")
        if self.is_awq:
            return np.ascontiguousarray(self._of_outputs(packed_words, start, stop).T)
        return bits.unpack(np.ascontiguousarray(packed_words[:, start:stop].T), self.width)[:, : self.shape[1]]

    def _scales(self, start: int, stop: int) -> Floats:
        return np.ascontiguousarray(read_floats(self.tensors, f"{self.path}.scales")[:, start:stop].T)

    def _zeros(self, start: int, stop: int) -> Floats:
        """Return the zero points [outputs, groups]; by default the middle of the range."""
        name = f"{self.path}.qzeros"
        if name not in self.tensors.entries:
            groups = self.tensors.entries[f"{self.path}.scales"].shape[0]
            return np.full((stop - start, groups), 1 << (self.width - 1), np.float32)
        zeros = self._of_outputs(read_all(self.tensors, name), start, stop).T
        # GPTQ adds the 1 modulo the range of a zero point: 15 + 1 is 0 in four bits.
        return ((zeros.astype(np.int32) + self.zero_offset) & ((1 << self.width) - 1)).astype(np.float32)

    def _of_outputs(self, packed_words: NDArray[Any], start: int, stop: int) -> NDArray[np.uint8]:
        """Return numbers that are packed along the outputs, for the outputs [start, stop)."""
        if not self.is_awq:
            return bits.unpack(packed_words, self.width)[:, start:stop]
        first, last = start // 8, -(-stop // 8)
        numbers = bits.unpack(packed_words[:, first:last], 4).reshape(len(packed_words), -1, 8)[..., _awq_order]
        return numbers.reshape(len(packed_words), -1)[:, start - 8 * first : stop - 8 * first]


def matrices(tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Matrix]:
    """Return the quantized matrices of a model, by the names of the weights in the unquantized model.

    Raises:
        UnsupportedModel: the packing is not supported.
        BrokenModel: the tensors contradict each other.
    """
    method, width = str(settings.get("quant_method")), settings.get("bits", 4)
    is_awq = method == "awq"
    if is_awq and str(settings.get("version", "gemm")).lower() != "gemm":
        raise UnsupportedModel(f"Facet does not support the AWQ packing {settings['version']!r}, only 'gemm'.")
    if is_awq and width != 4:
        raise UnsupportedModel(f"Facet does not support AWQ with {width} bits, only with 4.")
    if width not in _widths:
        raise UnsupportedModel(f"Facet does not support GPTQ with {width!r} bits, only with 2, 3, 4 or 8.")
    if not is_awq and settings.get("checkpoint_format", "gptq") not in ("gptq", "gptq_v2"):
        raise UnsupportedModel(f"Facet does not support the GPTQ packing {settings['checkpoint_format']!r}.")
    offset = 0 if is_awq or settings.get("checkpoint_format") == "gptq_v2" else 1
    paths = [name.removesuffix(".qweight") for name in tensors.entries if name.endswith(".qweight")]
    return {f"{path}.weight": _matrix(tensors, path, width, is_awq=is_awq, zero_offset=offset) for path in paths}


def _matrix(tensors: Tensors, path: str, width: int, *, is_awq: bool, zero_offset: int) -> Matrix:
    if f"{path}.scales" not in tensors.entries:
        raise BrokenModel(f"The matrix {path!r} lacks its scales. Look for another version of the model.")
    groups, outputs = tensors.entries[f"{path}.scales"].shape
    packed_rows, packed_columns = tensors.entries[f"{path}.qweight"].shape
    if not is_awq:
        width = _width(tensors, path, outputs, width)
    inputs = packed_rows if is_awq else packed_rows * 32 // width
    if inputs % groups or outputs != (packed_columns * 8 if is_awq else packed_columns):
        raise BrokenModel(f"The tensors of the matrix {path!r} don't match. Look for another version of the model.")
    return TransposedIntegers(
        tensors=tensors,
        path=path,
        shape=(outputs, inputs),
        width=width,
        group_size=inputs // groups,
        is_awq=is_awq,
        zero_offset=zero_offset,
        groups=_unordered(tensors, path, inputs // groups),
    )


def _width(tensors: Tensors, path: str, outputs: int, declared: int) -> int:
    """Return the bits of a matrix of GPTQ, which may differ from those of the model: they follow from its zero points.

    Raises:
        UnsupportedModel: there is no such width.
    """
    zeros = tensors.entries.get(f"{path}.qzeros")
    width = zeros.shape[-1] * 32 // outputs if zeros else declared
    if width not in _widths:
        raise UnsupportedModel(f"Facet does not support GPTQ with {width} bits ({path}), only with 2, 3, 4 or 8.")
    return width


def _unordered(tensors: Tensors, path: str, group_size: int) -> NDArray[np.int32] | None:
    """Return the group of each input, or None if they are in order."""
    if f"{path}.g_idx" not in tensors.entries:
        return None
    groups: NDArray[np.int32] = read_all(tensors, f"{path}.g_idx").reshape(-1)
    return None if (groups == np.arange(len(groups)) // group_size).all() else groups
