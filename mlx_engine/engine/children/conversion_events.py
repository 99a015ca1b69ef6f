"""What a job process tells of a conversion, wherever its source comes from."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.models.hub.pace import Pace
from mlx_engine.quantize.mlx.convert import Progress
from mlx_engine.quantize.mlx.source import Source
from mlx_engine.quantize.plan.forecast import Forecast
from mlx_engine.quantize.plan.messages import ConversionPlanned, ConversionProgress, Converted, Kept

INTERVAL_S = 0.2
"""Between two reports of the progress."""


def planned(id: str, expected: Forecast, source: Source) -> ConversionPlanned:
    """Tell what will come of it."""
    return ConversionPlanned(
        id=id,
        size_bytes=expected.size_bytes,
        bits_per_weight=expected.bits_per_weight,
        kept=_kept(expected),
        notes=(*source.notes, *expected.notes),
    )


def progress(id: str, steps: Iterator[Progress]) -> Iterator[ConversionProgress]:
    """Tell of the first step, the last, and some a second. The time in which nobody asks for the next counts not."""
    idle_s, told_s = 0.0, -math.inf
    pace = Pace(time.monotonic(), 0)
    for step in steps:
        now = time.monotonic()
        if now - told_s < INTERVAL_S and step.done_bytes < step.total_bytes:
            continue
        pace = pace.after(now - idle_s, step.done_bytes)
        yield ConversionProgress(
            id=id,
            done_bytes=step.done_bytes,
            total_bytes=step.total_bytes,
            bytes_per_s=pace.bytes_per_s,
            remaining_s=pace.remaining_s(step.total_bytes),
            tensor=step.tensor,
        )
        told_s = time.monotonic()
        idle_s += told_s - now


def converted(id: str, target: Path, expected: Forecast, source: Source) -> Converted:
    """Tell that it is done, as planned."""
    return Converted(
        id=id,
        path=str(target),
        size_bytes=expected.size_bytes,
        bits_per_weight=expected.bits_per_weight,
        kept=_kept(expected),
        notes=(*source.notes, *expected.notes),
    )


def _kept(expected: Forecast) -> tuple[Kept, ...]:
    return tuple(Kept(path, reason) for path, reason in expected.kept)
