"""Captions of charts: the method of measurement and the meaning of error bars."""

from collections.abc import Iterator, Sequence

from mlx_engine.amounts import format_number
from mlx_engine.measure.charts.missing import without
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import DECODE_SPEED, FIRST_TOKEN, PEAK_MEMORY, PREFILL_SPEED
from mlx_engine.measure.study.study import Study


def method(study: Study, figures: Sequence[Figure]) -> str:
    """Return how `figures` were measured: on which text and machine, and how exactly."""
    return " ".join((*_fidelity(study, figures), *_speed(study, figures)))


def reading(study: Study, figures: Sequence[Figure]) -> str:
    """Return how to read a chart of `figures`: the meaning of its error bars, and which candidates are missing."""
    lines = [_errors(study, figures)] if _has(figures, "fidelity") else []
    if any(figure.unit == "tok/s" for figure in figures) and any(row.speed for row in study.rows):
        lines.append("Bars of speed: from the slowest to the fastest run.")
    return " ".join((*lines, *without(study, figures)))


def _has(figures: Sequence[Figure], source: str) -> bool:
    return any(figure.source == source for figure in figures)


def _errors(study: Study, figures: Sequence[Figure]) -> str:
    """Return the meaning of the error bars of fidelity, or why there are none."""
    if not any(figure.has_error for figure in figures if figure.source == "fidelity"):
        return "No error bars: this figure does not have a standard error."
    chunks = [result.fidelity.chunks for row in study.rows for result in row.fidelity]
    if chunks and max(chunks) == 1:
        return "No error bars: a standard error needs more than one chunk."
    return "Error bars of fidelity: one standard error, clustered by chunk."


def _fidelity(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    result = next((result for row in study.rows for result in row.fidelity), None)
    if result is None or not _has(figures, "fidelity"):
        return
    has_kl = any(figure.unit == "nats" for figure in figures)
    if has_kl:
        yield f"KL(original ‖ candidate) of next-token probabilities; the original is {study.original.label}."
    if result.is_stand_in:
        yield "An 8-bit copy replaced the original; its own loss is not included, so divergence is a lower bound."
    if has_kl and (bound := _error_bound(study)):
        yield f"Only some of the original's probabilities are kept: mean KL may be off by {format_number(bound)} nats."
    yield f"{result.fidelity.positions:,} positions of the corpus {result.corpus}: {result.convention.rstrip('.')}."


def _error_bound(study: Study) -> float:
    return max((result.fidelity.kl_error_bound for row in study.rows for result in row.fidelity), default=0.0)


def _speed(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    speed = next((row.speed for row in study.rows if row.speed), None)
    if speed is None or not _has(figures, "speed"):
        return
    if speed.prefill and (PREFILL_SPEED in figures or FIRST_TOKEN in figures):
        yield f"Prompts of {speed.prefill.tokens:,} tokens."
    if speed.decode and DECODE_SPEED in figures:
        yield f"Decoding after {speed.decode.tokens:,} tokens of context."
    if any(figure.unit == "tok/s" for figure in figures):
        yield f"Median of {speed.plan.repetitions}."
    if PEAK_MEMORY in figures:
        yield f"{PEAK_MEMORY.title}: {PEAK_MEMORY.meaning[0].lower()}{PEAK_MEMORY.meaning[1:]}"
    if speed.machine:
        yield f"Machine: {speed.machine}; {speed.conditions.text}."


def subject(study: Study) -> str:
    """Return the name of the original, for a title."""
    return study.original.label.rpartition("/")[2]
