"""Measurements of one model, a line for each figure, for its card."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.measure.figures.figures import (
    DECODE_SPEED,
    MEAN_KL,
    P99_KL,
    PEAK_MEMORY,
    PERPLEXITY,
    PREFILL_SPEED,
    TOP1_AGREEMENT,
)
from mlx_engine.measure.figures.format import format_measured
from mlx_engine.measure.figures.sample import sample_of_result, sample_of_speed
from mlx_engine.measure.report.facts import scored
from mlx_engine.measure.report.shareable import name_of
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.speed_result import SpeedResult


@dataclass(frozen=True, slots=True)
class MeasurementLine:
    """A figure, its value and how it was measured."""

    name: str
    value: str
    method: str


def of_fidelity(result: FidelityResult) -> Iterator[MeasurementLine]:
    """Yield the figures of a comparison with the original."""
    method = f"compared with {name_of(result.reference)}, {scored(result)}, {result.convention}"
    if result.cache_bits != 16:
        method += f", {result.cache_bits}-bit KV cache"
    if result.is_stand_in:
        method += ", a lower bound: an 8-bit copy replaced the original"
    sample = sample_of_result(result)
    for figure in (MEAN_KL, P99_KL, TOP1_AGREEMENT, PERPLEXITY):
        value = format_measured(figure, sample)
        if figure is PERPLEXITY:
            value += f" (original: {result.fidelity.reference_perplexity:.2f})"
        yield MeasurementLine(figure.title, value, method)


def of_speed(result: SpeedResult) -> Iterator[MeasurementLine]:
    """Yield the speeds that are reliable, and the peak memory."""
    machine, sample = result.machine or "an unknown machine", sample_of_speed(result)
    kinds = (
        (PREFILL_SPEED, result.prefill, "{:,}-token prompt"),
        (DECODE_SPEED, result.decode, "after {:,} tokens of context"),
    )
    for figure, series, length in kinds:
        if series and not series.is_disturbed:
            method = f"on {machine}, {length.format(series.tokens)}, median of {len(series.values)}"
            yield MeasurementLine(figure.title, format_measured(figure, sample), method)
    method = f"on {machine}, while speed was measured"
    yield MeasurementLine(PEAK_MEMORY.title, format_measured(PEAK_MEMORY, sample), method)
