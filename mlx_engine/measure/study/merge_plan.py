"""A study whose plan has changed: what was found for the old plan stays, as far as the new one asks the same."""

import msgspec

from mlx_engine.errors import InvalidPlan
from mlx_engine.measure.study.study import Row, Study

_asked_alike = ("original", "corpus", "convention", "limit_tokens", "tail_mass", "stand_in")
"""The fields of plans whose divergences can stand in one table."""


def merge_results(study: Study, old: Study) -> Study:
    """Return a new study with what an old one of its name has found of the same models.

    Raises:
        InvalidPlan: the old one is about another original or another text; it would be lost.
    """
    if differing := [name for name in _asked_alike if getattr(study.plan, name) != getattr(old.plan, name)]:
        raise InvalidPlan(
            f"There is a study called {old.plan.name} already, and its plan has another {_listed(differing)}. Give "
            f'this plan another "name", or remove that study: facet lab delete "{old.plan.name}".'
        )
    rows = {row.path: row for row in old.rows}
    return msgspec.structs.replace(
        study,
        rows=tuple(_with_found(row, rows.get(row.path), study, old) for row in study.rows),
        reference_folder=study.reference_folder or old.reference_folder,
        dataset=old.dataset,
        created=old.created,
    )


def _with_found(row: Row, old: Row | None, study: Study, before: Study) -> Row:
    if old is None or old.recipe != row.recipe:
        return row
    fidelity = tuple(result for result in old.fidelity if result.cache_bits in study.plan.cache_bits)
    is_same_speed = study.plan.speed == before.plan.speed
    return msgspec.structs.replace(row, fidelity=fidelity, speed=old.speed if is_same_speed else None)


def _listed(names: list[str]) -> str:
    *most, last = (f'"{name}"' for name in names)
    return f"{', '.join(most)} and {last}" if most else last
