"""Converts rows of GGUF blocks to the arrays of an MLX model without changing any weight.

For the types in `packing.py`, only the order of the bits differs. Both formats, and all arrays, are little-endian.
Layout of the blocks: ggml, ggml-common.h; of the packed rows: mlx, `mx.quantize`.
"""

import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import UnsupportedModel
from mlx_engine.models.gguf.packing import GROUP_SIZE, PACKINGS

Bytes = NDArray[np.uint8]
Arrays = dict[str, NDArray[np.generic]]


def _four_bits(nibbles: Bytes) -> Bytes:
    """Reorder nibbles [..., 16]: byte j holds weights j and j + 16 in GGUF, weights 2j and 2j + 1 in MLX."""
    low, high = nibbles & 0x0F, nibbles >> 4
    return np.concatenate([low[..., 0::2] | low[..., 1::2] << 4, high[..., 0::2] | high[..., 1::2] << 4], axis=-1)


def _q4_0(blocks: Bytes) -> Arrays:
    scales = _half(blocks, 0)
    return {"weight": _four_bits(blocks[..., 2:]), "scales": scales, "biases": _times(scales, -8)}


def _q4_1(blocks: Bytes) -> Arrays:
    return {"weight": _four_bits(blocks[..., 4:]), "scales": _half(blocks, 0), "biases": _half(blocks, 2)}


def _q8_0(blocks: Bytes) -> Arrays:
    scales = _half(blocks, 0)
    return {"weight": blocks[..., 2:] ^ 0x80, "scales": scales, "biases": _times(scales, -128)}


def _half(blocks: Bytes, at: int) -> NDArray[np.float16]:
    return np.ascontiguousarray(blocks[..., at : at + 2]).view("<f2")[..., 0]


def _times(scales: NDArray[np.float16], power_of_two: int) -> NDArray[np.float16]:
    """Multiply by a power of two, which is exact in float16 unless it overflows."""
    with np.errstate(over="ignore"):
        products = scales * np.float16(power_of_two)
    if np.isinf(products).any() and np.isfinite(scales).all():
        raise UnsupportedModel("Some weights in this file are too large to store exactly in an MLX model.")
    return products


_offset_types = {"F32": "<f4", "F16": "<f2"}
_unpack = {"Q4_0": _q4_0, "Q4_1": _q4_1, "Q8_0": _q8_0}


def convert(rows: Bytes, source_type: str, stored_type: str) -> Arrays:
    """Return the arrays for `rows` [rows, bytes of a row], keyed by name suffix as in `packing.layout`."""
    if source_type in PACKINGS:
        return _unpack[source_type](rows.reshape(len(rows), -1, PACKINGS[source_type].block_bytes))
    if source_type == stored_type:
        return {"weight": rows}
    return {"weight": _narrowed(rows.view("<f4"), stored_type)}


def narrows_exactly(values: Bytes, stored_type: str) -> bool:
    """Return whether `stored_type` represents every float32 in `values` exactly."""
    numbers = values.view("<f4")
    if stored_type == "BF16":
        return not (numbers.view("<u4") & 0xFFFF).any()
    with np.errstate(over="ignore"):
        return bool((numbers.astype("<f2").astype("<f4") == numbers).all())


def _narrowed(numbers: NDArray[np.float32], stored_type: str) -> NDArray[np.generic]:
    if stored_type == "BF16":
        return (numbers.view("<u4") >> 16).astype("<u2")
    return numbers.astype("<f2")


def row_bytes(source_type: str, shape: tuple[int, ...]) -> int:
    """Return the bytes of one row of a tensor; a vector is one row."""
    columns = shape[-1]
    if source_type in PACKINGS:
        return columns // GROUP_SIZE * PACKINGS[source_type].block_bytes
    return columns * {"F32": 4, "F16": 2, "BF16": 2}[source_type]


def without_offset(data: NDArray[np.uint8], kind: str, offset: float) -> NDArray[np.uint8]:
    """Return the bytes of a vector of floats after subtracting `offset`.

    Raises:
        UnsupportedModel: the vector is of a type in which that cannot be done.
    """
    if not offset:
        return data
    if kind not in _offset_types:
        raise UnsupportedModel(f"This file stores the weights of norms as {kind}; Facet needs F32 or F16.")
    values = data.view(_offset_types[kind])
    result: NDArray[np.uint8] = (values - values.dtype.type(offset)).view(np.uint8)
    return result
