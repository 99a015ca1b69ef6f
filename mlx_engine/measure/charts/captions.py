"""How the figures of a study were measured, for the line below a chart."""

from collections.abc import Iterator, Sequence

from mlx_engine.amounts import format_number
from mlx_engine.measure.charts.missing import without
from mlx_engine.measure.charts.quantities import DECODING, MEMORY, Quantity, usual_decoding, usual_reading
from mlx_engine.measure.study.study import Study


def method(study: Study, quantities: Sequence[Quantity]) -> str:
    """Return how `quantities` were measured: over what, on what, and how exactly."""
    return " ".join((*_fidelity(study, quantities), *_speed(study, quantities)))


def reading(study: Study, quantities: Sequence[Quantity]) -> str:
    """Return what is to be known to read a chart of `quantities`: what bars of error mean, and what is not in it."""
    lines = [_errors(study, quantities)] if any(quantity.is_fidelity for quantity in quantities) else []
    if any(quantity.unit == "tokens/s" for quantity in quantities) and any(row.speed for row in study.rows):
        lines.append("Bars of speed: from the slowest to the fastest.")
    return " ".join((*lines, *without(study, quantities)))


def _errors(study: Study, quantities: Sequence[Quantity]) -> str:
    """Return what the bars of error mean, or why there are none."""
    if not any(quantity.has_error for quantity in quantities if quantity.is_fidelity):
        return "No standard error is reckoned for this figure, so there are no error bars."
    chunks = [result.fidelity.chunks for row in study.rows for result in row.fidelity]
    if chunks and max(chunks) == 1:
        return "No error bars: only one chunk was read, and one has no standard error."
    return "Error bars of fidelity: one standard error, clustered by chunk."


def _fidelity(study: Study, quantities: Sequence[Quantity]) -> Iterator[str]:
    result = next((result for row in study.rows for result in row.fidelity), None)
    shown = [quantity for quantity in quantities if quantity.is_fidelity]
    if result is None or not shown:
        return
    if any(quantity.unit == "nats" for quantity in shown):
        yield f"KL(original ‖ candidate) of next-token probabilities; the original is {study.original.label}."
    if result.is_stand_in:
        yield "8-bit weights, whose own loss is missing, answered in its place: take the divergence as a lower bound."
    if (bound := _error_bound(study)) and any(quantity.unit == "nats" for quantity in shown):
        off = f"{format_number(bound)} nats"
        yield f"Since only a part of the original's answers is kept, a mean KL may be off by {off}."
    yield f"{result.fidelity.positions:,} positions of the corpus {result.corpus}: {result.convention.rstrip('.')}."


def _error_bound(study: Study) -> float:
    return max((result.fidelity.kl_error_bound for row in study.rows for result in row.fidelity), default=0.0)


def _speed(study: Study, quantities: Sequence[Quantity]) -> Iterator[str]:
    speed = next((row.speed for row in study.rows if row.speed), None)
    shown = [quantity for quantity in quantities if quantity.is_of_speed]
    if speed is None or not shown:
        return
    if (
        reading := usual_reading(speed)
        if any(quantity.key in ("prefill", "first_token") for quantity in shown)
        else None
    ):
        yield f"Prompts of {reading.tokens:,} tokens."
    if decoding := usual_decoding(speed) if DECODING in shown else None:
        yield f"Written after {decoding.tokens:,} tokens of context."
    if any(quantity.unit == "tokens/s" for quantity in shown):
        yield f"Median of {speed.plan.repetitions}."
    if MEMORY in shown:
        yield "Memory: the most that MLX held while speed was measured."
    if speed.machine:
        yield f"Machine: {speed.machine}; {speed.conditions.text}."


def subject(study: Study) -> str:
    """Return the name of the original, for a title."""
    return study.original.label.rpartition("/")[2]
