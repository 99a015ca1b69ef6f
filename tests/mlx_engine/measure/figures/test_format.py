"""Figures as text: units, digits and errors."""

import math

import pytest

from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.figures import (
    DECODE_SPEED,
    FIRST_TOKEN,
    MEAN_KL,
    P99_KL,
    PEAK_MEMORY,
    PERPLEXITY,
    SIZE,
    TOP1_AGREEMENT,
    TOP1_DISAGREEMENT,
)
from mlx_engine.measure.figures.format import columns, format_error, format_figure
from mlx_engine.measure.figures.limits import format_limits
from mlx_engine.measure.figures.sample import samples
from mlx_engine.measure.study.plan import Gates
from tests.mlx_engine.measure.charts.studies import FEW, study


@pytest.mark.parametrize(
    ("figure", "estimate", "text"),
    [
        (SIZE, FigureEstimate(2.34e9), "2.34 GB"),
        (SIZE, FigureEstimate(84_200_000), "84.2 MB"),
        (PEAK_MEMORY, FigureEstimate(24 * 2**30), "24.0 GB"),
        (MEAN_KL, FigureEstimate(0.0432, 0.0011), "0.0432 ± 0.0011 nats"),
        (MEAN_KL, FigureEstimate(0.000357, 0.00004), "0.00036 ± 0.00004 nats"),
        (MEAN_KL, FigureEstimate(0.0), "0.0000 nats"),
        (MEAN_KL, FigureEstimate(2e-6), "2.0e-06 nats"),
        (P99_KL, FigureEstimate(1.2345), "1.23 nats"),
        (P99_KL, FigureEstimate(-1e-9), "0 nats"),
        (TOP1_AGREEMENT, FigureEstimate(0.86, 0.007), "86.0 ± 0.7%"),
        (TOP1_DISAGREEMENT, FigureEstimate(0.14), "14.0%"),
        (DECODE_SPEED, FigureEstimate(88.1, extremes=(86.0, 90.2)), "88.1 (86.0 to 90.2) tok/s"),
        (DECODE_SPEED, FigureEstimate(88.1, extremes=(60.0, 90.2), is_disturbed=True), "88.1* (60.0 to 90.2) tok/s"),
        (FIRST_TOKEN, FigureEstimate(0.25), "250 ms"),
        (FIRST_TOKEN, FigureEstimate(2.5), "2.50 s"),
        (PERPLEXITY, FigureEstimate(1234.5), "1,234.50"),
    ],
)
def test_a_figure_has_its_unit_and_its_error(figure: Figure, estimate: FigureEstimate, text: str) -> None:
    """Sizes of files are decimal, those of memory binary; a KL is never shown as negative."""
    assert format_figure(figure, estimate) == text


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.0431, 0.0021, "0.043 ± 0.002"),
        (0.00012, 0.00003, "0.00012 ± 0.00003"),
        (1.0, 0.0, "1.000 ± 0"),
        (1.0, math.inf, "1.000 ± inf"),
        (-1e-9, 0.002, "0.000 ± 0.002"),
    ],
)
def test_an_error_has_at_least_one_digit(value: float, error: float, text: str) -> None:
    """An error of 0.00003 shown as 0.000 would claim too much."""
    assert format_error(value, error, 3) == text


def test_a_column_has_one_unit() -> None:
    """Cells are numbers only, so that they can be compared at a glance."""
    large = samples(study(FEW, parameters=8e9))
    (size,) = columns(large, (SIZE,))
    assert size.heading == "Size (GB)"
    assert [size.text(sample) for sample in large] == ["16.0", "8.50", "4.50", "2.50"]


def test_cells_without_a_value_are_empty() -> None:
    original = samples(study(FEW))[0]
    (mean_kl, match) = columns([original], (MEAN_KL, TOP1_AGREEMENT))
    assert (mean_kl.text(original), match.text(original)) == ("", "")


def test_limits_have_the_names_and_units_of_their_figures() -> None:
    gates = Gates(max_mean_kl=0.05, max_perplexity_ratio=1.02, min_top1_agreement=0.9, max_memory_bytes=8 * 2**30)
    assert format_limits(gates) == (
        "mean KL ≤ 0.05 nats, perplexity ≤ 1.02 times the original's, top-1 agreement ≥ 90%, peak memory ≤ 8 GB"
    )
    assert format_limits(Gates()) == "none"
