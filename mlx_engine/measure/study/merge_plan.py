"""Keeps the results of a study whose plan has changed, where the new plan has the same settings."""

import msgspec

from mlx_engine.errors import InvalidPlan
from mlx_engine.measure.study.study import Row, Study

_FIXED_FIELDS = ("original", "corpus", "convention", "limit_tokens", "tail_mass", "stand_in")
"""Divergences are comparable only between plans with equal values of these fields."""


def merge_results(study: Study, old: Study) -> Study:
    """Return the new `study` with the results of the `old` study of the same name for the same models.

    Raises:
        InvalidPlan: the old study has another original or another text, so its results would be lost.
    """
    if differing := [name for name in _FIXED_FIELDS if getattr(study.plan, name) != getattr(old.plan, name)]:
        raise InvalidPlan(
            f"A study named {old.plan.name} already exists, and its plan has another {_listed(differing)}. Use another "
            f'"name" for this plan, or delete that study: facet lab delete "{old.plan.name}".'
        )
    rows = {row.path: row for row in old.rows}
    return msgspec.structs.replace(
        study,
        rows=tuple(_with_results(row, rows.get(row.path), study, old) for row in study.rows),
        reference_folder=study.reference_folder or old.reference_folder,
        dataset=old.dataset,
        created=old.created,
    )


def _with_results(row: Row, old: Row | None, study: Study, before: Study) -> Row:
    if old is None or old.recipe != row.recipe:
        return row
    fidelity = tuple(result for result in old.fidelity if result.cache_bits in study.plan.cache_bits)
    is_same_speed = study.plan.speed == before.plan.speed
    return msgspec.structs.replace(row, fidelity=fidelity, speed=old.speed if is_same_speed else None)


def _listed(names: list[str]) -> str:
    *most, last = (f'"{name}"' for name in names)
    return f"{', '.join(most)} and {last}" if most else last
