"""What a study looks like in a terminal."""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mlx_engine.amounts import format_disk, format_memory, format_progress
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import DownloadProgress, Waiting
from mlx_engine.measure.results.messages import AnswersUnderway, FidelityUnderway, SpeedUnderway
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.speed_result import Series, SpeedResult
from mlx_engine.measure.results.verdicts import plus_minus, verdict
from mlx_engine.measure.study.gates import Judgement
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, Step, Study, remaining
from mlx_engine.quantize.plan.messages import ConversionProgress

_doing = {
    "fetch": "fetching the text",
    "answers": "the original reads",
    "convert": "converting",
    "fidelity": "comparing",
    "speed": "speed",
}


def progress_line(study: Study, step: Step, event: JobEvent | None = None) -> str:
    """Return how far a step is."""
    head = f"{short_names(study)[step.label]}: {_doing[step.kind]}"
    match event:
        case AnswersUnderway(done=done, total=total):
            return f"{head}, {done} of {total} chunks"
        case FidelityUnderway(done=done, total=total, so_far=so_far):
            return f"{head}, {done} of {total} chunks, KL {so_far.mean_kl:.4f}"
        case SpeedUnderway(words=words):
            return f"{head}, {words}"
        case ConversionProgress(done_bytes=done, total_bytes=total):
            return f"{head}, {format_progress(done, total)}"
        case DownloadProgress() | Waiting():
            return f"{head}, {fetched_in_words(event)}"
        case _:
            return head


def fetched_in_words(event: JobEvent) -> str:
    """Return how far a text is on its way from the Hub."""
    match event:
        case DownloadProgress(done_bytes=done, total_bytes=total):
            return format_progress(done, total)
        case Waiting(reason=reason):
            return reason
        case _:
            return "asking the Hub"


def row_fields(study: Study, row: Row) -> dict[str, Any]:
    """Return all that is known of a row by name, its divergences by the names that `facet measure` has for them."""
    found = row.fidelity_at(study.bits)
    figures = msgspec.to_builtins(found.fidelity) if found else {}
    return {"candidate": row.label, **figures, **msgspec.to_builtins(row)}


def list_fields(study: Study) -> dict[str, Any]:
    """Return what a study is about, and how far it is."""
    return {
        "name": study.plan.name,
        "original": study.original.label,
        "candidates": [row.label for row in study.candidates],
        "steps_left": sum(1 for _ in remaining(study)),
        "failures": sum(len(row.failures) for row in study.rows),
        "created": study.created,
    }


def list_table(studies: Sequence[Study]) -> str:
    """Return the studies in columns."""
    return columns([("study", "original", "candidates", "stand"), *map(_listed, studies)], figures=(2,))


def _listed(study: Study) -> tuple[str, ...]:
    known = list_fields(study)
    stand = f"{known['steps_left']} steps left" if known["steps_left"] else "done"
    failures = f", {known['failures']} failed" if known["failures"] else ""
    return known["name"], known["original"], str(len(known["candidates"])), stand + failures


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the table: a model with its context in so many bits, if it was measured so."""

    name: str
    row: Row
    found: FidelityResult | None
    is_first: bool
    answering: FidelityResult | None = None
    """Of what the others are held against: any result that has its perplexity."""

    @property
    def speed(self) -> SpeedResult | None:
        return self.row.speed if self.is_first else None


def _lines(study: Study) -> Iterator[_Line]:
    names = short_names(study)
    any_result = next((row.fidelity[0] for row in study.rows if row.fidelity), None)
    for row in study.rows:
        answering = any_result if row is study.answering else None
        yield _Line(names[row.label], row, row.fidelity_at(study.bits), is_first=True, answering=answering)
        for bits in study.plan.cache_bits:
            if bits != study.bits and (found := row.fidelity_at(bits)):
                yield _Line(f"  context in {bits} bits", row, found, is_first=False)


def _mean_kl(line: _Line) -> str:
    return plus_minus(line.found.fidelity.mean_kl, line.found.fidelity.mean_kl_se, 4) if line.found else ""


def _perplexity(line: _Line) -> str:
    if line.answering:
        return f"{line.answering.fidelity.reference_perplexity:.2f}"
    return f"{line.found.fidelity.perplexity:.2f}" if line.found else ""


def _fidelity(name: str, digits: int) -> Callable[[_Line], str]:
    return lambda line: f"{getattr(line.found.fidelity, name):.{digits}f}" if line.found else ""


def _rate(series: Series | None) -> str:
    return f"{series.median:,.1f}{'*' if series.is_disturbed else ''}" if series else ""


COLUMNS: Sequence[tuple[str, Callable[[_Line], str]]] = (
    ("model", lambda line: line.name),
    ("size", lambda line: format_disk(line.row.size_bytes) if line.row.size_bytes and line.is_first else ""),
    ("bits", lambda line: f"{line.row.bits_per_weight:.2f}" if line.row.bits_per_weight and line.is_first else ""),
    ("mean KL", _mean_kl),
    ("p99 KL", _fidelity("p99_kl", 3)),
    ("same", lambda line: f"{100 * line.found.fidelity.top1_agreement:.1f} %" if line.found else ""),
    ("PPL", _perplexity),
    ("prefill", lambda line: _rate(line.speed.prefill) if line.speed else ""),
    ("decode", lambda line: _rate(line.speed.decode) if line.speed else ""),
    ("peak", lambda line: format_memory(line.speed.peak_memory_bytes) if line.speed else ""),
)


def table(study: Study) -> str:
    """Return the rows of the study in columns, then what failed and what the figures mean."""
    cells = [tuple(value(line) for _, value in COLUMNS) for line in _lines(study)]
    text = columns([tuple(title for title, _ in COLUMNS), *cells], figures=range(1, len(COLUMNS)))
    return text + "".join(f"{line}\n" for line in _remarks(study))


def columns(rows: Sequence[tuple[str, ...]], *, figures: Container[int]) -> str:
    """Return rows of cells as lines, the columns aligned, those of figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(width) if place in figures else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _remarks(study: Study) -> Iterator[str]:
    names = short_names(study)
    yield f"original: {study.original.label}"
    if any(row.speed for row in study.rows):
        yield f"prefill and decode: tokens/s, medians{_about_speed(study)}"
    if study.answering.is_stand_in:
        yield (
            f"{study.answering.label} answered in the place of the original. What its 8 bits lose themselves is "
            "missing: all divergences are lower bounds."
        )
    for row in study.rows:
        if found := row.fidelity_at(study.bits):
            yield f"{names[row.label]}: {verdict(found.fidelity)}."
        for failure in row.failures:
            yield f"{names[row.label]}: {failure.title}. {failure.message}"
    if left := sum(1 for _ in remaining(study)):
        yield f"{left} {'step is' if left == 1 else 'steps are'} left: `facet lab run` with its plan goes on."


def _about_speed(study: Study) -> str:
    has_star = any(row.speed and row.speed.disturbed for row in study.rows)
    return "; * something else was running, run it again to measure it again" if has_star else ""


def judgement_lines(study: Study, judgement: Judgement) -> Iterator[str]:
    """Give the winner, and why others are none."""
    names = short_names(study)
    for label, obstacles in judgement.obstacles.items():
        yield f"{names[label]} does not pass: {'; '.join(obstacles)}."
    yield f"The winner is {judgement.winner.label}." if judgement.winner else "No candidate passes."
