"""Converts rows of weights to the bytes to write, as `mlx_lm.convert` does: cast, then quantized."""

from collections.abc import Mapping

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BrokenModel, InvalidRecipe
from mlx_engine.quantize.mlx.source import mlx_type
from mlx_engine.quantize.plan.layout import ParameterPlacement

_infinity = {mx.bfloat16: 0x7F80, mx.float16: 0x7C00, mx.float32: 0x7F800000}
"""The bits of infinity; those of NaN are greater."""


def convert_rows(rows: mx.array, placement: ParameterPlacement) -> Mapping[str, memoryview]:
    """Return the bytes of these rows for each array of the placement: "weight", "scales" and "biases".

    A matrix is quantized in groups along its rows, so the bytes of a row do not depend on other rows.

    Raises:
        BrokenModel: a weight is infinite or not a number.
        InvalidRecipe: a weight is too large for the type in the recipe.
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
    """Return the bytes of rows of a packed array unchanged; floating-point scales and biases are cast.

    Raises:
        BrokenModel: a scale is infinite or not a number.
        InvalidRecipe: a scale is too large for the type in the recipe.
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
        raise BrokenModel(f"{name} contains infinity or NaN. Look for another version of the model.")
    raise InvalidRecipe(f"{name} has weights too large for {placement.dtype}. Choose bfloat16 or float32.")


def _are_numbers(array: mx.array) -> bool:
    """Return True if all values are finite, by the maximum of their bits: twice as fast as testing each value."""
    infinity = _infinity.get(array.dtype)
    if infinity is None or array.size == 0:
        return True
    bits = _bits(array)
    sign = 1 << (8 * array.itemsize - 1)
    return int(bits.view(f"i{array.itemsize}").max()) < infinity and int(bits.max()) < (infinity | sign)


def _bits(array: mx.array) -> NDArray[np.unsignedinteger]:
    """Return the bits of an evaluated array, without a copy if it is contiguous."""
    unsigned = {1: mx.uint8, 2: mx.uint16, 4: mx.uint32, 8: mx.uint64}[array.itemsize]
    return np.asarray(array.view(unsigned))


def _bytes(array: mx.array) -> memoryview:
    return np.ascontiguousarray(_bits(array)).data
