"""A study in a terminal."""

import textwrap
from collections.abc import Container, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from mlx_engine.amounts import format_count, format_progress
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import DownloadProgress, Waiting
from mlx_engine.measure.figures.format import FigureColumn, columns
from mlx_engine.measure.figures.sample import samples
from mlx_engine.measure.results.messages import FidelityProgress, ReferenceProgress, SpeedProgress
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.gates import GateVerdict
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, Step, Study, remaining
from mlx_engine.quantize.plan.messages import ConversionProgress

_MIN_WIDTH = 8
"""Characters of a column with a long heading."""
_DOING = {
    "fetch": "fetching the text",
    "reference": "reading the text",
    "convert": "converting",
    "fidelity": "comparing",
    "speed": "speed",
}


def progress_line(study: Study, step: Step, event: JobEvent | None = None) -> str:
    """Return the progress of a step."""
    head = f"{short_names(study)[step.label]}: {_DOING[step.kind]}"
    match event:
        case ReferenceProgress(done=done, total=total):
            return f"{head}, {done} of {total} chunks"
        case FidelityProgress(done=done, total=total, so_far=so_far):
            return f"{head}, {done} of {total} chunks, KL {so_far.mean_kl:.4f}"
        case SpeedProgress(step=words):
            return f"{head}, {words}"
        case ConversionProgress(done_bytes=done, total_bytes=total):
            return f"{head}, {format_progress(done, total)}"
        case DownloadProgress() | Waiting():
            return f"{head}, {describe_fetch(event)}"
        case _:
            return head


def describe_fetch(event: JobEvent) -> str:
    """Return the progress of fetching a text from the Hub."""
    match event:
        case DownloadProgress(done_bytes=done, total_bytes=total):
            return format_progress(done, total)
        case Waiting(reason=reason):
            return reason
        case _:
            return "asking the Hub"


def row_fields(study: Study, row: Row) -> dict[str, Any]:
    """Return all fields of a row; those of its fidelity also at the top level, as in `facet measure`."""
    result = row.fidelity_at(study.bits)
    figures = msgspec.to_builtins(result.fidelity) if result else {}
    return {"candidate": row.label, **figures, **msgspec.to_builtins(row)}


def list_fields(study: Study) -> dict[str, Any]:
    """Return the models of a study and its progress."""
    return {
        "name": study.plan.name,
        "original": study.original.label,
        "candidates": [row.label for row in study.candidates],
        "steps_left": sum(1 for _ in remaining(study)),
        "failures": sum(len(row.failures) for row in study.rows),
        "created": study.created,
    }


def list_table(studies: Sequence[Study]) -> str:
    """Return a table of studies."""
    return align([("Study", "Original", "Candidates", "Status"), *map(_listed, studies)], figures=(2,))


def _listed(study: Study) -> tuple[str, ...]:
    fields = list_fields(study)
    status = f"{format_count(fields['steps_left'], 'step')} left" if fields["steps_left"] else "complete"
    failures = f", {fields['failures']} failed" if fields["failures"] else ""
    return fields["name"], fields["original"], str(len(fields["candidates"])), status + failures


def table(study: Study) -> str:
    """Return the figures of all models that have any, then remarks about them."""
    rows = samples(study)
    figures = [column for column in columns(rows) if any(map(column.text, rows))]
    cells = [(sample.name, *(column.text(sample) for column in figures)) for sample in rows]
    return figures_table(figures, cells) + "".join(f"{line}\n" for line in _remarks(study))


def figures_table(columns: Sequence[FigureColumn], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of models and their figures; headings wider than their columns take several lines."""
    headings = ("Model", *(column.heading for column in columns))
    widths = (max(_MIN_WIDTH, *map(len, cells)) for cells in zip(*rows, strict=True))
    wrapped = [textwrap.wrap(text, width, break_long_words=False) for text, width in zip(headings, widths, strict=True)]
    head = list(zip_longest(*map(reversed, wrapped), fillvalue=""))[::-1]
    return align([*head, *rows], figures=range(1, 1 + len(columns)))


def align(rows: Sequence[tuple[str, ...]], *, figures: Container[int] = ()) -> str:
    """Return rows of cells as lines with aligned columns; the columns at the places `figures` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if index in figures else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _remarks(study: Study) -> Iterator[str]:
    names = short_names(study)
    yield f"Original: {study.original.label}"
    if any(row.speed for row in study.rows):
        yield f"Speeds are medians{_about_speed(study)}."
    if study.reference_row.is_stand_in:
        yield (
            f"{study.reference_row.label} replaced the original. Its loss from 8-bit quantization is not included, "
            "so divergences are lower bounds."
        )
    for row in study.rows:
        if result := row.fidelity_at(study.bits):
            yield f"{names[row.label]}: {verdict(result.fidelity)}."
        for failure in row.failures:
            yield f"{names[row.label]}: {failure.title}. {failure.message}"
    if count := sum(1 for _ in remaining(study)):
        yield f"{format_count(count, 'step')} left. Resume with `facet lab run` and the plan."


def _about_speed(study: Study) -> str:
    has_star = any(row.speed and row.speed.disturbed for row in study.rows)
    return "; * = something else was running: run the study again to repeat the measurement" if has_star else ""


def verdict_lines(study: Study, verdict: GateVerdict) -> Iterator[str]:
    """Yield the reason for each candidate that does not pass, then the best within limits."""
    names = short_names(study)
    for label, obstacles in verdict.obstacles.items():
        yield f"{names[label]} does not pass: {'; '.join(obstacles)}."
    yield f"Best within limits: {verdict.best.label}." if verdict.best else "No candidate is within the limits."
