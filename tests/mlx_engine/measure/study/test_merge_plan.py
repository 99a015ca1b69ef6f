"""Behaviour of a study whose plan has changed."""

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
    return msgspec.structs.replace(study(FEW), reference_folder="kept")


def _new(old: Study, **plan: object) -> Study:
    """Return the study as another plan begins it."""
    rows = tuple(msgspec.structs.replace(row, fidelity=(), speed=None) for row in old.rows)
    return Study(plan=msgspec.structs.replace(old.plan, **plan), rows=rows)


def test_what_was_found_stays_where_the_plan_asks_the_same(old: Study) -> None:
    """Gates change nothing, and a new candidate has nothing yet."""
    new = _new(old, gates=Gates(max_mean_kl=0.05))
    new = msgspec.structs.replace(new, rows=(*new.rows, Row(label="new", path="new")))
    found = merge_results(new, old)
    assert found.rows[:-1] == old.rows
    assert (found.rows[-1].fidelity, found.reference_folder, found.plan.gates) == ((), "kept", new.plan.gates)


def test_a_recipe_that_has_changed_begins_anew(old: Study) -> None:
    """Though what it makes is called as before."""
    new = _new(old)
    changed = msgspec.structs.replace(new.rows[1], recipe=builtin.recipe("balanced-4bit"))
    found = merge_results(msgspec.structs.replace(new, rows=(new.rows[0], changed)), old)
    assert found.rows[1].fidelity == ()


def test_speeds_stay_only_if_they_were_measured_so(old: Study) -> None:
    """Divergences stay all the same; of a precision that is not asked for any more, none does."""
    found = merge_results(_new(old, speed=SpeedPlan(repetitions=9)), old)
    assert all(row.speed is None for row in found.rows)
    assert found.rows[1].fidelity == old.rows[1].fidelity
    assert merge_results(_new(old, cache_bits=(8,)), old).rows[1].fidelity == ()


def test_another_text_is_another_study(old: Study) -> None:
    """What was found on the old one would be lost."""
    with pytest.raises(InvalidPlan, match='has another "limit_tokens" and "tail_mass"'):
        merge_results(_new(old, limit_tokens=1, tail_mass=0.5), old)
