"""Estimating the time of a study, before and during its run."""

import pytest

from app.viewmodels.lab.time_estimate import Countdown, Speeds, default_speeds, speeds_from_history, study_seconds
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study
from tests.mlx_engine.measure.charts.studies import FEW
from tests.mlx_engine.measure.charts.studies import study as measured

SPEEDS = Speeds(1e10, 1e9, "the test")


def planned(candidates: int, tokens: int = 8192) -> Study:
    """Return a study of models with 100 million weights and without results."""
    rows = [Row(label="original", path="o", is_original=True, size_bytes=2 * 10**8, bits_per_weight=16)]
    rows += [Row(label=f"c{n}", path=f"c{n}", size_bytes=10**8, bits_per_weight=8) for n in range(candidates)]
    plan = StudyPlan(name="x", original="original", limit_tokens=tokens, speed=None, corpus=CorpusSource())
    return Study(plan=plan, rows=tuple(rows))


def test_more_text_and_more_models_take_longer() -> None:
    assert (
        study_seconds(planned(1, 4096), SPEEDS) < study_seconds(planned(1), SPEEDS) < study_seconds(planned(3), SPEEDS)
    )


def test_measured_speeds_replace_the_defaults() -> None:
    """The median over models, in proportion to their weights."""
    default = default_speeds(has_metal=True)
    speeds = speeds_from_history([measured(FEW)], default, planned(1).original)
    assert speeds.prefill == pytest.approx(134.5e6 * 1120, rel=0.3)
    assert "4 models on this Mac" in speeds.source
    assert speeds_from_history([planned(2)], default, planned(1).original) == default


def test_speeds_of_small_models_only_raise_the_defaults() -> None:
    """Small models are slow in relation to their weights."""
    fast, slow = Speeds(1e20, 1e20, "fast"), Speeds(1.0, 1.0, "slow")
    large = Row(label="large", path="large", size_bytes=10**10, bits_per_weight=16)
    assert speeds_from_history([measured(FEW)], fast, large).prefill == fast.prefill
    assert speeds_from_history([measured(FEW)], slow, large).prefill > slow.prefill


def test_the_countdown_adapts_to_the_elapsed_time() -> None:
    """Slowly at first, since the first moments are not representative."""
    study = planned(3, tokens=400_000)
    total_s = study_seconds(study, SPEEDS)
    countdown = Countdown(study, SPEEDS, start_s=100.0)
    assert countdown.left_s(study, 0.0, now_s=102.0) == pytest.approx(total_s, rel=0.05)
    step_s = total_s / 4
    assert countdown.left_s(study, 0.5, now_s=100 + 3 * step_s) == pytest.approx(6 * (total_s - step_s / 2), rel=0.2)
