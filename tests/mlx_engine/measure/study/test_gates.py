"""Judging the candidates of a study by its limits."""

import msgspec
import pytest

from mlx_engine.measure.results.speed_result import RateSeries
from mlx_engine.measure.study.gates import judge
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.measure.study.study import Row, StepFailure, Study
from tests.mlx_engine.measure.study.test_study import result, speed


def _row(label: str, *, kl: float, size: int, rate: float, peak: int = 1000) -> Row:
    measured_speed = speed(RateSeries(0, (rate, rate)), peak=peak)
    return Row(label=label, path=label, size_bytes=size, fidelity=(result(kl, label),), speed=measured_speed)


@pytest.fixture
def study() -> Study:
    rows = (
        Row(label="original", path="original", is_original=True),
        _row("eight", kl=0.002, size=800, rate=20.0, peak=900),
        _row("six", kl=0.01, size=600, rate=40.0, peak=700),
        _row("four", kl=0.06, size=400, rate=60.0, peak=500),
    )
    return Study(plan=StudyPlan(name="study", original="original", recipes=("x",)), rows=rows)


def _with_last(study: Study, **changes: object) -> Study:
    """Return the study with `changes` to the row "four"."""
    return msgspec.structs.replace(study, rows=(*study.rows[:3], msgspec.structs.replace(study.rows[3], **changes)))


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        (Gates(max_mean_kl=0.05), "six"),
        (Gates(max_mean_kl=0.05, prefer="closest"), "eight"),
        (Gates(prefer="smallest"), "four"),
        (Gates(max_memory_bytes=800, prefer="closest"), "six"),
        (Gates(max_size_bytes=500), "four"),
        (Gates(min_decode_tokens_per_s=30, prefer="closest"), "six"),
        (Gates(max_mean_kl=0.05, max_memory_bytes=800, prefer="fastest"), "six"),
        (Gates(min_top1_agreement=0.95), None),
        (Gates(max_mean_kl=0.001), None),
    ],
)
def test_the_preferred_candidate_within_the_limits_is_the_best(
    study: Study, gates: Gates, expected: str | None
) -> None:
    best = judge(study, gates).best
    assert (best.label if best else None) == expected


@pytest.mark.parametrize(
    ("gates", "obstacle"),
    [
        (Gates(max_mean_kl=0.05), "its mean KL is 0.06, above 0.05"),
        (Gates(max_p99_kl=0.5), "its p99 KL is 0.9, above 0.5"),
        (Gates(max_perplexity_ratio=1.02), "its perplexity is 1.1 times the original's, above 1.02"),
        (Gates(min_top1_agreement=0.95), "its top-1 agreement is 90%, below 95%"),
        (Gates(max_size_bytes=399, prefer="closest"), "its size is 400 bytes, above 399 bytes"),
        (Gates(max_memory_bytes=499), "its peak memory is 500 bytes, above 499 bytes"),
        (Gates(min_decode_tokens_per_s=60.1), "its decode speed is 60 tok/s, below 60.1"),
        (Gates(min_prefill_tokens_per_s=1, prefer="smallest"), "its prefill speed was not measured"),
    ],
)
def test_an_obstacle_has_its_figure(study: Study, gates: Gates, obstacle: str) -> None:
    """It shows by how much the limit is missed."""
    (measured,) = study.rows[3].fidelity
    figures = msgspec.structs.replace(measured.fidelity, p99_kl=0.9, perplexity=11.0, reference_perplexity=10.0)
    study = _with_last(study, fidelity=(msgspec.structs.replace(measured, fidelity=figures),))
    assert judge(study, gates).obstacles["four"] == (obstacle,)


def test_a_candidate_without_measurements_does_not_pass(study: Study) -> None:
    """The failure is the reason."""
    failure = StepFailure("fidelity", "Not enough memory", "It does not fit.")
    study = _with_last(study, fidelity=(), speed=None, failures=(failure,))
    assert judge(study, Gates(max_mean_kl=1)).obstacles["four"] == (
        "its fidelity was not measured (Not enough memory)",
        "its speed was not measured",
    )


def test_a_candidate_that_was_not_converted_does_not_pass(study: Study) -> None:
    study = _with_last(study, exists=False, failures=(StepFailure("convert", "No space", "The disk is full."),))
    assert judge(study, Gates(prefer="smallest")).obstacles["four"] == ("it was not created (No space)",)


def test_a_disturbed_speed_does_not_pass(study: Study) -> None:
    """If speed does not matter, it is ignored."""
    study = _with_last(study, speed=speed(RateSeries(0, (90.0, 60.0, 61.0))))
    judgement = judge(study, Gates())
    assert judgement.best is not None
    assert judgement.best.label == "six"
    assert judgement.obstacles["four"] == (
        "its decode speed is unreliable (60 to 90 tok/s), as something else was running",
    )
    by_size = judge(study, Gates(prefer="smallest")).best
    assert by_size is not None
    assert by_size.label == "four"


def test_a_candidate_without_decode_speed_is_not_the_fastest(study: Study) -> None:
    """The speed after a longer context is not comparable."""
    for incomplete in (speed(), speed(RateSeries(2048, (500.0, 500.0)))):
        assert judge(_with_last(study, speed=incomplete), Gates()).obstacles["four"] == (
            "its decode speed was not measured",
        )


def test_a_candidate_that_ran_out_of_memory_is_not_within_memory_limits(study: Study) -> None:
    """Its peak is only that of the measured lengths."""
    incomplete = msgspec.structs.replace(speed(RateSeries(0, (60.0, 60.0)), peak=1), lacks_memory=True)
    obstacles = judge(_with_last(study, speed=incomplete), Gates(max_memory_bytes=500)).obstacles
    assert obstacles["four"] == ("there was not enough memory to measure all lengths",)


def test_ties_are_won_by_the_closer_candidate(study: Study) -> None:
    """Regardless of the order of the rows."""
    study = _with_last(study, speed=study.rows[2].speed)
    best = judge(study, Gates()).best
    assert best is not None
    assert best.label == "six"


def test_fidelity_counts_at_the_highest_cache_precision(study: Study) -> None:
    """Here that is 8 bits, without a result at 16."""
    rows = [
        msgspec.structs.replace(
            row, fidelity=tuple(msgspec.structs.replace(measured, cache_bits=8) for measured in row.fidelity)
        )
        for row in study.rows
    ]
    plan = msgspec.structs.replace(study.plan, cache_bits=(4, 8))
    best = judge(msgspec.structs.replace(study, plan=plan, rows=tuple(rows)), Gates(max_mean_kl=0.05)).best
    assert best is not None
    assert best.label == "six"


def test_a_stand_in_is_not_a_candidate(study: Study) -> None:
    """The candidates are compared with it."""
    study = _with_last(study, is_stand_in=True)
    assert judge(study, Gates(prefer="smallest")).obstacles["four"] == ("it replaces the original",)
