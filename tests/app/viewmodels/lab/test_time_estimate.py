"""How long studies take, before and while they run."""

import pytest

from app.viewmodels.lab.time_estimate import Countdown, Speeds, default_speeds, speeds_from_history, study_seconds
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study
from tests.mlx_engine.measure.charts.studies import FEW
from tests.mlx_engine.measure.charts.studies import study as measured

PACE = Speeds(1e10, 1e9, "the test")


def planned(candidates: int, tokens: int = 8192) -> Study:
    """A study of models of 100 million weights, of which nothing is known."""
    rows = [Row(label="original", path="o", is_original=True, size_bytes=2 * 10**8, bits_per_weight=16)]
    rows += [Row(label=f"c{n}", path=f"c{n}", size_bytes=10**8, bits_per_weight=8) for n in range(candidates)]
    plan = StudyPlan(name="x", original="original", limit_tokens=tokens, speed=None, corpus=CorpusSource())
    return Study(plan=plan, rows=tuple(rows))


def test_more_text_and_more_models_take_longer() -> None:
    assert study_seconds(planned(1, 4096), PACE) < study_seconds(planned(1), PACE) < study_seconds(planned(3), PACE)


def test_what_was_measured_here_counts_more_than_a_guess() -> None:
    """The median of the models, by their numbers of weights."""
    usual = default_speeds(has_metal=True)
    found = speeds_from_history([measured(FEW)], usual, planned(1).original)
    assert found.reading == pytest.approx(134.5e6 * 1120, rel=0.3)
    assert "measured here" in found.source
    assert speeds_from_history([planned(2)], usual, planned(1).original) == usual


def test_small_models_say_little_of_how_fast_a_large_one_is() -> None:
    """They are slower for their weights, so a guess that is faster holds."""
    fast, slow = Speeds(1e20, 1e20, "fast"), Speeds(1.0, 1.0, "slow")
    large = Row(label="large", path="large", size_bytes=10**10, bits_per_weight=16)
    assert speeds_from_history([measured(FEW)], fast, large).reading == fast.reading
    assert speeds_from_history([measured(FEW)], slow, large).reading > slow.reading


def test_a_machine_that_is_slower_than_thought_takes_longer() -> None:
    """The more has been done, the more it tells about the rest; the first moments tell next to nothing."""
    study = planned(3, tokens=400_000)
    whole = study_seconds(study, PACE)
    countdown = Countdown(study, PACE, begun=100.0)
    assert countdown.left_s(study, 0.0, now=102.0) == pytest.approx(whole, rel=0.05)
    step = whole / 4
    assert countdown.left_s(study, 0.5, now=100 + 3 * step) == pytest.approx(6 * (whole - step / 2), rel=0.2)
