"""Reasons why a chart is empty or incomplete."""

from collections.abc import Iterator, Sequence

from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.sample import samples
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import StepKind, Study

_MOST_NAMES = 5
"""In a sentence."""


def why_nothing(study: Study, figures: Sequence[Figure]) -> str:
    """Return why no candidate has all of `figures`, in sentences."""
    reasons = [_why(study, figure) for figure in figures if not _has_any(study, figure)]
    return " ".join(dict.fromkeys(reasons)) or "No candidate has both figures yet."


def without(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    """Yield a sentence about the candidates that are not shown, if others are."""
    candidates = [sample for sample in samples(study) if not sample.row.is_original]
    shown = {sample.row.label for sample in candidates if all(figure.plotted(sample) for figure in figures)}
    names = [name for label, name in short_names(study).items() if label not in shown | {study.original.label}]
    if names and shown:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield f"Not shown because of missing measurements: {', '.join(names[:_MOST_NAMES])}{more}."


def _has_any(study: Study, figure: Figure) -> bool:
    return any(figure.plotted(sample) for sample in samples(study) if not sample.is_reference)


def _why(study: Study, figure: Figure) -> str:
    match figure.source:
        case "fidelity":
            return _reason(study, "No candidate was compared with the original", ("reference", "fidelity"))
        case "files":
            return f"The {figure.title_in_sentence} is not known yet."
        case "speed" if study.plan.speed is None:
            return "This study does not measure speed. Start a new study to measure it."
        case "speed":
            return _reason(study, "Speed was not measured", ("speed",))


def _reason(study: Study, what: str, steps: Sequence[StepKind]) -> str:
    failures = (failure for row in study.rows for failure in row.failures if failure.step in steps)
    failure = next(failures, None)
    return f"{what}: {failure.title.rstrip('.')}. {failure.message}" if failure else f"{what} yet."
