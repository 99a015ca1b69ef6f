"""Behaviour of choosing the best candidate."""

import msgspec
import pytest

from mlx_engine.measure.gates import judge
from mlx_engine.measure.plan import Gates, Plan
from mlx_engine.measure.speed_result import Series, SpeedPlan, SpeedResult
from mlx_engine.measure.study import Row, Study
from tests.mlx_engine.measure.test_study import result


def _row(label: str, *, kl: float, size: int, rate: float, peak: int = 1000) -> Row:
    speed = SpeedResult(
        model=label,
        weights="w",
        plan=SpeedPlan(),
        load_s=(1.0, 1.0),
        reading=(),
        decoding=(Series(0, (rate,)),),
        peak_memory_bytes=peak,
    )
    return Row(label=label, path=label, size_bytes=size, fidelity=(result(kl, label),), speed=speed)


@pytest.fixture
def study() -> Study:
    rows = (
        Row(label="original", path="original", is_original=True),
        _row("eight", kl=0.002, size=800, rate=20.0, peak=900),
        _row("six", kl=0.01, size=600, rate=40.0, peak=700),
        _row("four", kl=0.06, size=400, rate=60.0, peak=500),
    )
    return Study(plan=Plan(name="study", original="original", recipes=("x",)), rows=rows)


@pytest.mark.parametrize(
    ("gates", "winner"),
    [
        (Gates(max_mean_kl=0.05), "six"),
        (Gates(max_mean_kl=0.05, prefer="closest"), "eight"),
        (Gates(prefer="smallest"), "four"),
        (Gates(max_memory_bytes=800, prefer="closest"), "six"),
        (Gates(max_size_bytes=500), "four"),
        (Gates(min_top1_agreement=0.95), None),
        (Gates(max_mean_kl=0.001), None),
    ],
)
def test_the_winner_is_the_best_of_those_that_pass(study: Study, gates: Gates, winner: str | None) -> None:
    """Best is what the plan prefers."""
    found = judge(study, gates).winner
    assert (found.label if found else None) == winner


def test_an_obstacle_is_told_with_its_figure(study: Study) -> None:
    """So that one can see how near it was."""
    assert judge(study, Gates(max_mean_kl=0.05)).obstacles == {"four": ("its KL is 0.0600, above 0.05",)}


def test_what_was_not_measured_does_not_pass(study: Study) -> None:
    """A failure is no success."""
    unmeasured = msgspec.structs.replace(study.rows[3], fidelity=(), speed=None)
    study = msgspec.structs.replace(study, rows=(*study.rows[:3], unmeasured))
    obstacles = judge(study, Gates(max_mean_kl=1)).obstacles["four"]
    assert obstacles == ("its fidelity was not measured", "its speed was not measured")
