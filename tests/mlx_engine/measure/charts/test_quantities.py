"""Behaviour of figures that stand at an axis."""

import math

import msgspec
import pytest

from mlx_engine.measure.charts.quantities import (
    DECODING,
    DISAGREEMENT,
    MEAN_KL,
    PERPLEXITY,
    QUANTITIES,
    SIZE,
    Estimate,
    Quantity,
    exactly,
    samples,
)
from mlx_engine.measure.charts.units import in_words
from mlx_engine.measure.study.study import Row
from tests.mlx_engine.measure.charts.studies import FEW, study


def test_a_candidate_has_all_figures() -> None:
    """Of each row everything is read that can stand at an axis."""
    four = samples(study(FEW))[2]
    assert all(quantity.of(four) for quantity in QUANTITIES)
    assert MEAN_KL.of(four) == Estimate(0.041, pytest.approx(0.03895), pytest.approx(0.04305))


def test_the_original_is_its_own_measure() -> None:
    """It differs from itself nowhere, and its perplexity is what others found of it."""
    original = samples(study(FEW))[0]
    assert original.is_reference
    assert (MEAN_KL.of(original), DISAGREEMENT.of(original)) == (exactly(0.0), exactly(0.0))
    assert PERPLEXITY.of(original) == Estimate(14.0, 13.6, 14.4)


def test_what_was_not_measured_or_is_no_number_is_none() -> None:
    """So it is in no chart."""
    broken = samples(study((("broken", 4.0, math.nan, 0.5, 10.0),)))[1]
    assert MEAN_KL.of(broken) is None
    planned = study(FEW)
    planned = msgspec.structs.replace(planned, rows=(planned.original, Row(label="a/planned", path="")))
    sample = samples(planned)[1]
    assert not any(quantity.of(sample) for quantity in QUANTITIES)


def test_an_error_that_is_no_number_is_no_error() -> None:
    """The figure itself is."""
    found = study(FEW[:1])
    result = found.candidates[0].fidelity[0]
    fidelity = msgspec.structs.replace(result.fidelity, mean_kl_se=math.nan)
    row = msgspec.structs.replace(found.rows[1], fidelity=(msgspec.structs.replace(result, fidelity=fidelity),))
    assert MEAN_KL.of(samples(msgspec.structs.replace(found, rows=(found.original, row)))[1]) == exactly(0.0011)


def test_each_precision_of_the_context_is_a_sample() -> None:
    found = study(FEW[:1])
    row = found.candidates[0]
    both = (*row.fidelity, msgspec.structs.replace(row.fidelity[0], cache_bits=4))
    rows = (found.original, msgspec.structs.replace(row, fidelity=both))
    assert [one.name for one in samples(msgspec.structs.replace(found, rows=rows))] == [
        "original",
        "8-bit",
        "8-bit, 4-bit context",
    ]


def test_speed_is_of_the_precision_in_which_it_was_measured() -> None:
    """With a context in fewer bits it would be another."""
    found = study(FEW[:1])
    row = found.candidates[0]
    fewer = msgspec.structs.replace(row, fidelity=(msgspec.structs.replace(row.fidelity[0], cache_bits=4),))
    sample = samples(msgspec.structs.replace(found, rows=(found.original, fewer)))[1]
    assert DECODING.of(sample) is None
    assert MEAN_KL.of(sample)
    assert SIZE.of(sample)


@pytest.mark.parametrize(
    ("quantity", "found", "words"),
    [
        (SIZE, exactly(2.34e9), "2.34 GB"),
        (SIZE, exactly(84_200_000), "84.2 MB"),
        (MEAN_KL, Estimate(0.0432, 0.0421, 0.0443), "0.0432 ± 0.0011 nats"),
        (MEAN_KL, exactly(0.0), "0 nats"),
        (MEAN_KL, exactly(2e-6), "2.0e-06 nats"),
        (DISAGREEMENT, Estimate(0.14, 0.133, 0.147), "14.0 ± 0.7 %"),
        (DECODING, Estimate(88.1, 86.0, 90.2, is_range=True), "88.1 (86.0 to 90.2) tokens/s"),
        (PERPLEXITY, exactly(1234.5), "1,234"),
    ],
)
def test_figures_have_units_and_errors(quantity: Quantity, found: Estimate, words: str) -> None:
    assert in_words(quantity, found) == words
