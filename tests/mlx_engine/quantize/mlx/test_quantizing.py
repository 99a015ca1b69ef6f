"""Quantizing rows of weights."""

import mlx.core as mx
import numpy as np
import pytest

from mlx_engine.errors import BrokenModel
from mlx_engine.quantize.mlx.quantizing import convert_rows
from mlx_engine.quantize.mlx.source import safetensors_type
from mlx_engine.quantize.plan.layout import ParameterPlacement
from mlx_engine.quantize.plan.outline import Parameter
from mlx_engine.quantize.recipes.recipe import Format


def _placement(dtype: mx.Dtype, form: Format | None = None) -> ParameterPlacement:
    name = safetensors_type(dtype)
    parameter = Parameter(name="layers.0.up_proj.weight", shape=(8, 64), dtype=name, can_be_quantized=True)
    return ParameterPlacement(parameter, form, name, "", {})


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), -float("nan")])
@pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float16, mx.float32])
def test_a_value_that_is_not_finite_is_detected_in_every_type(dtype: mx.Dtype, value: float) -> None:
    """At any position."""
    rows = np.zeros((8, 64), dtype=np.float32)
    rows[5, 40] = value

    with pytest.raises(BrokenModel, match=r"layers\.0\.up_proj\.weight"):
        convert_rows(mx.array(rows).astype(dtype), _placement(dtype))


@pytest.mark.parametrize("dtype", [mx.bfloat16, mx.float16, mx.float32])
def test_the_largest_values_are_finite(dtype: mx.Dtype) -> None:
    """Of either sign; so is negative zero."""
    largest = mx.finfo(dtype).max
    rows = mx.array([[largest, -largest, -0.0, 1.0]], dtype=dtype)

    written = convert_rows(rows, _placement(dtype))

    assert bytes(written["weight"]) == np.array(rows.view(mx.uint8)).tobytes()


def test_an_empty_vector_is_written() -> None:
    """It has no maximum."""
    assert convert_rows(mx.zeros((0, 64)), _placement(mx.float32))["weight"].nbytes == 0


@pytest.mark.parametrize("mode", ["affine", "mxfp4"])
def test_rows_are_quantized_independently(mode: str) -> None:
    """Groups are within rows."""
    form = Format(bits=4, group_size=32) if mode == "affine" else Format(mode="mxfp4", bits=4, group_size=32)
    rows = mx.random.normal((8, 64)).astype(mx.bfloat16)
    placement = _placement(mx.bfloat16, form)

    together = convert_rows(rows, placement)
    alone = [convert_rows(rows[number : number + 1], placement) for number in range(8)]

    assert {part: bytes(data) for part, data in together.items()} == {
        part: b"".join(bytes(row[part]) for row in alone) for part in together
    }
