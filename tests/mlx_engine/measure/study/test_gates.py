"""Behaviour of choosing the best candidate."""

import msgspec
import pytest

from mlx_engine.measure.results.speed_result import RateSeries
from mlx_engine.measure.study.gates import judge
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.measure.study.study import Row, StepFailure, Study
from tests.mlx_engine.measure.study.test_study import result, speed


def _row(label: str, *, kl: float, size: int, rate: float, peak: int = 1000) -> Row:
    found = speed(RateSeries(0, (rate, rate)), peak=peak)
    return Row(label=label, path=label, size_bytes=size, fidelity=(result(kl, label),), speed=found)


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
    """Return the study with another "four"."""
    return msgspec.structs.replace(study, rows=(*study.rows[:3], msgspec.structs.replace(study.rows[3], **changes)))


@pytest.mark.parametrize(
    ("gates", "winner"),
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
def test_the_winner_is_the_best_of_those_that_pass(study: Study, gates: Gates, winner: str | None) -> None:
    """Best is what the plan prefers."""
    found = judge(study, gates).winner
    assert (found.label if found else None) == winner


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
def test_an_obstacle_is_told_with_its_figure(study: Study, gates: Gates, obstacle: str) -> None:
    """So that one can see how near it was."""
    (found,) = study.rows[3].fidelity
    figures = msgspec.structs.replace(found.fidelity, p99_kl=0.9, perplexity=11.0, reference_perplexity=10.0)
    study = _with_last(study, fidelity=(msgspec.structs.replace(found, fidelity=figures),))
    assert judge(study, gates).obstacles["four"] == (obstacle,)


def test_what_was_not_measured_does_not_pass(study: Study) -> None:
    """A failure is no success; it is told why."""
    failure = StepFailure("fidelity", "Not enough memory", "It does not fit.")
    study = _with_last(study, fidelity=(), speed=None, failures=(failure,))
    assert judge(study, Gates(max_mean_kl=1)).obstacles["four"] == (
        "its fidelity was not measured (Not enough memory)",
        "its speed was not measured",
    )


def test_what_was_not_made_does_not_pass(study: Study) -> None:
    """However small it would be."""
    study = _with_last(study, exists=False, failures=(StepFailure("convert", "No space", "The disk is full."),))
    assert judge(study, Gates(prefer="smallest")).obstacles["four"] == ("it was not created (No space)",)


def test_a_disturbed_speed_wins_no_gate(study: Study) -> None:
    """Be it the fastest by far; where speed does not count it is in nobody's way."""
    study = _with_last(study, speed=speed(RateSeries(0, (90.0, 60.0, 61.0))))
    judgement = judge(study, Gates())
    assert judgement.winner is not None
    assert judgement.winner.label == "six"
    assert judgement.obstacles["four"] == (
        "its decode speed is unreliable (60 to 90 tok/s), as something else was running",
    )
    by_size = judge(study, Gates(prefer="smallest")).winner
    assert by_size is not None
    assert by_size.label == "four"


def test_a_model_whose_writing_was_not_measured_is_not_the_fastest(study: Study) -> None:
    """Nor does it win by a depth that the others have as well as a lesser one."""
    for found in (speed(), speed(RateSeries(2048, (500.0, 500.0)))):
        assert judge(_with_last(study, speed=found), Gates()).obstacles["four"] == (
            "its decode speed was not measured",
        )


def test_a_model_for_which_the_memory_was_too_small_fits_no_limit_of_memory(study: Study) -> None:
    """Its peak is that of the lengths that could be measured."""
    found = msgspec.structs.replace(speed(RateSeries(0, (60.0, 60.0)), peak=1), lacks_memory=True)
    obstacles = judge(_with_last(study, speed=found), Gates(max_memory_bytes=500)).obstacles
    assert obstacles["four"] == ("there was not enough memory to measure all lengths",)


def test_of_two_that_are_alike_the_closer_one_wins(study: Study) -> None:
    """In the order of the rows there is no merit."""
    study = _with_last(study, speed=study.rows[2].speed)
    winner = judge(study, Gates()).winner
    assert winner is not None
    assert winner.label == "six"


def test_fidelity_counts_with_the_most_exact_context_of_the_plan(study: Study) -> None:
    """Where that has 8 bits, nothing was measured with 16."""
    rows = [
        msgspec.structs.replace(row, fidelity=tuple(msgspec.structs.replace(one, cache_bits=8) for one in row.fidelity))
        for row in study.rows
    ]
    plan = msgspec.structs.replace(study.plan, cache_bits=(4, 8))
    winner = judge(msgspec.structs.replace(study, plan=plan, rows=tuple(rows)), Gates(max_mean_kl=0.05)).winner
    assert winner is not None
    assert winner.label == "six"


def test_a_stand_in_is_no_candidate(study: Study) -> None:
    """It is what the others are held against."""
    study = _with_last(study, is_stand_in=True)
    assert judge(study, Gates(prefer="smallest")).obstacles["four"] == ("it stands in for the original",)
