"""Figures of a study: how they are read from samples."""

import math

import msgspec
import pytest

from mlx_engine.measure.figures.figure import FigureEstimate
from mlx_engine.measure.figures.figures import (
    ALL_FIGURES,
    CHART_FIGURES,
    DECODE_SPEED,
    FIGURES,
    MEAN_KL,
    PERPLEXITY,
    PREFILL_SPEED,
    SIZE,
    TOP1_AGREEMENT,
    TOP1_DISAGREEMENT,
)
from mlx_engine.measure.figures.sample import Sample, sample_of_result, sample_of_speed, samples
from mlx_engine.measure.results.speed_result import RateSeries
from mlx_engine.measure.study.study import Row, Study
from tests.mlx_engine.measure.charts.studies import FEW, study


def _with_row(whole: Study, row: Row) -> Study:
    return msgspec.structs.replace(whole, rows=(whole.original, row))


def test_a_measured_candidate_has_every_figure() -> None:
    four = samples(study(FEW))[2]
    assert all(figure.measured(four) for figure in (*ALL_FIGURES, *CHART_FIGURES))
    assert MEAN_KL.measured(four) == FigureEstimate(0.041, 0.041 / 20)


def test_keys_and_titles_are_unique() -> None:
    """Both identify a figure: the key for programs, the title for users."""
    figures = set(ALL_FIGURES) | set(CHART_FIGURES)
    assert len({figure.key for figure in figures}) == len({figure.title for figure in figures}) == len(figures)


def test_the_original_does_not_differ_from_itself() -> None:
    """Charts draw that; tables have no value for it. Its perplexity comes with the candidates' results."""
    original = samples(study(FEW))[0]
    assert (MEAN_KL.plotted(original), TOP1_DISAGREEMENT.plotted(original)) == (
        FigureEstimate(0.0),
        FigureEstimate(0.0),
    )
    assert (MEAN_KL.measured(original), TOP1_AGREEMENT.measured(original)) == (None, None)
    assert PERPLEXITY.measured(original) == FigureEstimate(14.0, 0.4)


def test_a_stand_in_has_the_perplexity_of_the_reference() -> None:
    """The original itself was never read."""
    whole = study(FEW)
    stand_in = msgspec.structs.replace(whole.rows[1], is_stand_in=True, fidelity=())
    original, answering, *_ = samples(msgspec.structs.replace(whole, rows=(whole.original, stand_in, *whole.rows[2:])))
    assert PERPLEXITY.measured(original) is None
    assert PERPLEXITY.measured(answering) == FigureEstimate(14.0, 0.4)


def test_missing_and_broken_measurements_are_none() -> None:
    broken = samples(study((("broken", 4.0, math.nan, 0.5, 10.0),)))[1]
    assert MEAN_KL.measured(broken) is None
    planned = samples(_with_row(study(FEW), Row(label="a/planned", path="")))[1]
    assert not any(figure.plotted(planned) for figure in FIGURES)


def test_a_broken_error_is_no_error() -> None:
    """The value itself stays."""
    whole = study(FEW[:1])
    result = whole.candidates[0].fidelity[0]
    fidelity = msgspec.structs.replace(result.fidelity, mean_kl_se=math.nan)
    assert MEAN_KL.measured(sample_of_result(msgspec.structs.replace(result, fidelity=fidelity))) == FigureEstimate(
        0.0011
    )


def test_an_error_bar_does_not_cross_zero() -> None:
    """No figure of a chart is negative."""
    assert FigureEstimate(0.1, 0.3).low == 0.0
    assert FigureEstimate(0.1, 0.02).low == pytest.approx(0.08)
    assert FigureEstimate(-1e-9).low == -1e-9


def test_each_precision_is_a_sample() -> None:
    """The planned ones, measured or not, and that of the speed."""
    whole = study(FEW[:1])
    row = whole.candidates[0]
    four = msgspec.structs.replace(row, fidelity=(msgspec.structs.replace(row.fidelity[0], cache_bits=4),))
    plan = msgspec.structs.replace(whole.plan, cache_bits=(8, 4))
    all_samples = samples(msgspec.structs.replace(_with_row(whole, four), plan=plan))
    assert [(sample.name, sample.fidelity is not None) for sample in all_samples[3:]] == [
        ("8-bit, 8-bit KV", False),
        ("8-bit, 4-bit KV", True),
        ("8-bit", False),
    ]


def test_speed_belongs_to_the_precision_at_which_it_was_measured() -> None:
    """Another KV cache would have another speed."""
    whole = study(FEW[:1])
    row = whole.candidates[0]
    both = (*row.fidelity, msgspec.structs.replace(row.fidelity[0], cache_bits=4))
    _, sixteen, four = samples(_with_row(whole, msgspec.structs.replace(row, fidelity=both)))
    assert DECODE_SPEED.measured(sixteen)
    assert DECODE_SPEED.measured(four) is None
    assert MEAN_KL.measured(four)
    assert SIZE.measured(four)


def test_speeds_are_those_of_the_usual_prompt_and_the_shortest_context() -> None:
    """Of several lengths."""
    speed = study(FEW).rows[1].speed
    assert speed
    lengths = msgspec.structs.replace(
        speed,
        prefill_rates=(RateSeries(128, (900.0,)), RateSeries(512, (800.0,)), RateSeries(2048, (700.0,))),
        decode_rates=(RateSeries(0, (90.0,)), RateSeries(2048, (70.0,))),
    )
    sample = sample_of_speed(lengths)
    assert _value(sample, "prefill") == 800.0
    assert _value(sample, "decode") == 90.0
    assert _value(sample, "first_token_s") == 512 / 800


def test_another_prompt_does_not_replace_the_usual_one() -> None:
    """Speeds at different lengths cannot be compared."""
    speed = study(FEW).rows[1].speed
    assert speed
    short = msgspec.structs.replace(speed, prefill_rates=(RateSeries(128, (900.0,)),))
    assert PREFILL_SPEED.measured(sample_of_speed(short)) is None


def _value(sample: Sample, key: str) -> float | None:
    estimate = next(figure for figure in FIGURES if figure.key == key).measured(sample)
    return estimate.value if estimate else None
