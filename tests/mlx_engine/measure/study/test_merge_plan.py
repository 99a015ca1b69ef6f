"""Results that remain when the plan of a study changes."""

import msgspec
import pytest

from mlx_engine.errors import InvalidPlan
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.measure.study.merge_plan import merge_results
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.quantize.recipes import builtin
from tests.mlx_engine.measure.charts.studies import FEW, study


@pytest.fixture
def old() -> Study:
    return msgspec.structs.replace(study(FEW), reference_folder="predictions")


def _new(old: Study, **plan: object) -> Study:
    """Return a new study with these changes to the plan."""
    rows = tuple(msgspec.structs.replace(row, fidelity=(), speed=None) for row in old.rows)
    return Study(plan=msgspec.structs.replace(old.plan, **plan), rows=rows)


def test_results_remain_if_the_plan_has_the_same_settings(old: Study) -> None:
    """Gates do not affect results; a new candidate has none yet."""
    new = _new(old, gates=Gates(max_mean_kl=0.05))
    new = msgspec.structs.replace(new, rows=(*new.rows, Row(label="new", path="new")))
    merged = merge_results(new, old)
    assert merged.rows[:-1] == old.rows
    assert (merged.rows[-1].fidelity, merged.reference_folder, merged.plan.gates) == ((), "predictions", new.plan.gates)


def test_results_of_a_changed_recipe_are_dropped(old: Study) -> None:
    """This applies even if the conversion has the same name."""
    new = _new(old)
    changed = msgspec.structs.replace(new.rows[1], recipe=builtin.recipe("balanced-4bit"))
    merged = merge_results(msgspec.structs.replace(new, rows=(new.rows[0], changed)), old)
    assert merged.rows[1].fidelity == ()


def test_speeds_remain_only_with_the_same_speed_plan(old: Study) -> None:
    """Divergences remain, except for a KV cache precision that is no longer in the plan."""
    merged = merge_results(_new(old, speed=SpeedPlan(repetitions=9)), old)
    assert all(row.speed is None for row in merged.rows)
    assert merged.rows[1].fidelity == old.rows[1].fidelity
    assert merge_results(_new(old, cache_bits=(8,)), old).rows[1].fidelity == ()


def test_another_text_requires_another_study(old: Study) -> None:
    """The results for the old text would be lost."""
    with pytest.raises(InvalidPlan, match='has another "limit_tokens" and "tail_mass"'):
        merge_results(_new(old, limit_tokens=1, tail_mass=0.5), old)
