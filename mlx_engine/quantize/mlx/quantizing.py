"""Turns rows of weights into the bytes that are written, as `mlx_lm.convert` would: cast, then quantized."""

from collections.abc import Mapping

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel, InvalidRecipe
from mlx_engine.quantize.mlx.source import mlx_type
from mlx_engine.quantize.plan.layout import ParameterPlacement

_infinity = {mx.bfloat16: 0x7F80, mx.float16: 0x7C00, mx.float32: 0x7F800000}
"""The bits of infinity; those of numbers that are none are above."""


def convert_rows(rows: mx.array, placement: ParameterPlacement) -> Mapping[str, memoryview]:
    """Return the bytes of each of the placement's arrays for these rows, by "weight", "scales" and "biases".

    A matrix is quantized in groups along its rows, so rows give the same bytes alone as all together.

    Raises:
        BrokenModel: there is an infinity among the weights, or what is not a number.
        InvalidRecipe: a weight is too large for the type that the recipe asks for.
    """
    dtype = mlx_type(placement.dtype)
    cast = rows if dtype is None or rows.dtype == dtype else rows.astype(dtype)
    mx.eval(cast)
    _require_numbers(rows, cast, placement)
    if placement.format is None:
        return {"weight": _bytes(cast)}
    form = placement.format
    arrays = mx.quantize(cast, group_size=form.group_size, bits=form.bits, mode=form.mode)
    mx.eval(arrays)
    return {part: _bytes(array) for part, array in zip(("weight", "scales", "biases"), arrays, strict=False)}


def copy_rows(rows: mx.array, placement: ParameterPlacement) -> memoryview:
    """Return the bytes of rows of a packed array as they are; scales and biases that are floats get their final type.

    Raises:
        BrokenModel: a scale is infinite, or not a number.
        InvalidRecipe: a scale is too large for the type that the recipe asks for.
    """
    dtype = mlx_type(placement.dtype) if mx.issubdtype(rows.dtype, mx.floating) else None
    cast = rows if dtype is None else rows.astype(dtype)
    mx.eval(cast)
    _require_numbers(rows, cast, placement)
    return _bytes(cast)


def _require_numbers(rows: mx.array, cast: mx.array, placement: ParameterPlacement) -> None:
    if _are_numbers(cast):
        return
    mx.eval(rows)
    name = placement.parameter.name
    if not _are_numbers(rows):
        raise BrokenModel(f"{name} holds infinity, or values that are not numbers. Download the model again.")
    raise InvalidRecipe(f"{name} holds weights too large for {placement.dtype}. Choose bfloat16 or float32.")


def _are_numbers(array: mx.array) -> bool:
    """Tell whether all values are finite, by the largest of their bits: half the time of asking for each of them."""
    infinity = _infinity.get(array.dtype)
    if infinity is None or array.size == 0:
        return True
    bits = _bits(array)
    sign = 1 << (8 * array.itemsize - 1)
    return int(bits.view(f"i{array.itemsize}").max()) < infinity and int(bits.max()) < (infinity | sign)


def _bits(array: mx.array) -> NDArray[np.unsignedinteger]:
    """Return the bits of an evaluated array, without copying them where it lies in one piece."""
    unsigned = {1: mx.uint8, 2: mx.uint16, 4: mx.uint32, 8: mx.uint64}[array.itemsize]
    return np.asarray(array.view(unsigned))


def _bytes(array: mx.array) -> memoryview:
    return np.ascontiguousarray(_bits(array)).data
