"""Why a chart has nothing to show, or not all: what was not measured, and what to do about it."""

from collections.abc import Iterator, Sequence

from mlx_engine.measure.charts.quantities import Quantity, samples
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import StepKind, Study

_MOST = 5
"""So many names stand in a sentence."""


def why_nothing(study: Study, quantities: Sequence[Quantity]) -> str:
    """Return why no candidate has all of `quantities`, in sentences."""
    found = [_why(study, quantity) for quantity in quantities if not _has_any(study, quantity)]
    return " ".join(dict.fromkeys(found)) or "No candidate has both figures yet."


def without(study: Study, quantities: Sequence[Quantity]) -> Iterator[str]:
    """Yield a sentence about the candidates that are not shown, if some are shown and some are not."""
    found = [sample for sample in samples(study) if not sample.row.is_original]
    shown = {sample.row.label for sample in found if all(quantity.of(sample) for quantity in quantities)}
    names = [name for label, name in short_names(study).items() if label not in shown | {study.original.label}]
    if names and shown:
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        yield f"Not shown, since not all of it was measured: {', '.join(names[:_MOST])}{more}."


def _has_any(study: Study, quantity: Quantity) -> bool:
    return any(quantity.of(sample) for sample in samples(study) if not sample.is_reference)


def _why(study: Study, quantity: Quantity) -> str:
    if quantity.is_fidelity:
        return _reason(study, "No candidate was compared with the original", ("answers", "fidelity"))
    if not quantity.is_of_speed:
        return f"No {quantity.in_sentence} is known yet."
    if study.plan.speed is None:
        return "Speed was not measured: it is no part of this study. A new study with its plan can have it."
    return _reason(study, "Speed was not measured", ("speed",))


def _reason(study: Study, what: str, steps: Sequence[StepKind]) -> str:
    failures = (failure for row in study.rows for failure in row.failures if failure.step in steps)
    failure = next(failures, None)
    return f"{what}: {failure.title.rstrip('.')}. {failure.message}" if failure else f"{what} so far."
