"""Scales and their ticks."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.measure.charts import scales

_values = st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=5)


@given(_values)
def test_a_linear_scale_contains_its_values(values: list[float]) -> None:
    scale = scales.linear(values)
    assert all(scale.low <= value <= scale.high for value in values)
    assert scale.low < scale.high


@given(_values)
def test_a_logarithmic_scale_contains_its_values_in_order(values: list[float]) -> None:
    scale = scales.log(values)
    shares = [scale.share(value) for value in sorted(values)]
    assert shares == sorted(shares)
    assert all(0 < share < 1 for share in shares)


@given(_values, st.integers(2, 8), st.booleans())
def test_ticks_are_few_and_distinct(values: list[float], most: int, is_log: bool) -> None:
    scale = scales.log(values) if is_log else scales.linear(values)
    ticks = scale.ticks(most)
    assert 1 <= len(ticks) <= most
    assert all(scale.low * (1 - 1e-6) <= tick.value <= scale.high * (1 + 1e-6) for tick in ticks)
    assert len({tick.text for tick in ticks}) == len(ticks)


def test_ticks_are_round() -> None:
    assert [tick.text for tick in scales.Linear(0, 3000).ticks(7)] == [
        "0",
        "500",
        "1,000",
        "1,500",
        "2,000",
        "2,500",
        "3,000",
    ]
    assert [tick.text for tick in scales.Log(0.0009, 2.0).ticks(4)] == ["0.001", "0.01", "0.1", "1"]
    assert [tick.text for tick in scales.Log(0.02, 0.6).ticks(8)] == ["0.02", "0.05", "0.1", "0.2", "0.5"]


def test_a_single_value_has_at_least_two_ticks() -> None:
    """One number does not show the scale of an axis."""
    assert len(scales.log([0.0011]).ticks(8)) >= 2
    assert len(scales.linear([0.0011]).ticks(8)) >= 2


def test_distant_powers_of_ten_are_written_as_powers() -> None:
    assert [tick.text for tick in scales.Log(1e-6, 1.0).ticks(4)] == ["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_values_without_a_logarithm_are_at_the_low_end(value: float) -> None:
    """Two identical models have a divergence of 0."""
    scale = scales.log([0.01, value])
    assert scale.share(value) == 0
    assert math.isclose(scale.low * scale.high, 0.01**2)
