"""The events of a conversion, for local sources and for those still being downloaded."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.models.hub.transfer_rate import TransferRate
from mlx_engine.quantize.mlx.convert import WriteProgress
from mlx_engine.quantize.mlx.source import Source
from mlx_engine.quantize.plan.forecast import ConversionForecast
from mlx_engine.quantize.plan.messages import ConversionPlanned, ConversionProgress, Converted, UnquantizedTensor

INTERVAL_S = 0.2
"""Time between two progress events."""


def planned(id: str, expected: ConversionForecast, source: Source) -> ConversionPlanned:
    """Return the event that announces the result."""
    return ConversionPlanned(
        id=id,
        size_bytes=expected.size_bytes,
        bits_per_weight=expected.bits_per_weight,
        unquantized=_unquantized(expected),
        notes=(*source.notes, *expected.notes),
    )


def progress(id: str, steps: Iterator[WriteProgress]) -> Iterator[ConversionProgress]:
    """Yield progress for the first step, the last one, and a few per second in between.

    The rate leaves out the time in which the job is paused, that is, the consumer does not ask for the next event.
    """
    idle_s, reported_s = 0.0, -math.inf
    rate = TransferRate(time.monotonic(), 0)
    for step in steps:
        now = time.monotonic()
        if now - reported_s < INTERVAL_S and step.done_bytes < step.total_bytes:
            continue
        rate = rate.after(now - idle_s, step.done_bytes)
        yield ConversionProgress(
            id=id,
            done_bytes=step.done_bytes,
            total_bytes=step.total_bytes,
            bytes_per_s=rate.bytes_per_s,
            remaining_s=rate.remaining_s(step.total_bytes),
            tensor=step.tensor,
        )
        reported_s = time.monotonic()
        idle_s += reported_s - now


def converted(id: str, target: Path, expected: ConversionForecast, source: Source) -> Converted:
    """Return the event for a finished conversion."""
    return Converted(
        id=id,
        path=str(target),
        size_bytes=expected.size_bytes,
        bits_per_weight=expected.bits_per_weight,
        unquantized=_unquantized(expected),
        notes=(*source.notes, *expected.notes),
    )


def _unquantized(expected: ConversionForecast) -> tuple[UnquantizedTensor, ...]:
    return tuple(UnquantizedTensor(path, reason) for path, reason in expected.unquantized)
