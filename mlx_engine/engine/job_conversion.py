"""Serves what a job process is asked about conversions: of what a model consists, and to convert it."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.job_protocol import Download, Downloaded
from mlx_engine.models import removal
from mlx_engine.models.describe import describe
from mlx_engine.models.hub.pace import Pace
from mlx_engine.quantize import preflight
from mlx_engine.quantize.convert import Progress, convert
from mlx_engine.quantize.forecast import Forecast
from mlx_engine.quantize.messages import (
    ConversionPlanned,
    ConversionProgress,
    Convert,
    Converted,
    Kept,
    OutlineRead,
    ReadOutline,
    SourceArrived,
)
from mlx_engine.quantize.opening import open_source

INTERVAL_S = 0.2
"""Between two reports of the progress."""


def serve(request: ReadOutline | Convert) -> Iterator[JobEvent]:
    """Yield the events of one request.

    Raises:
        FacetError: it cannot be done.
    """
    match request:
        case ReadOutline():
            with closing(open_source(Path(request.model))) as source:
                yield OutlineRead(request.id, source.outline, source.notes)
        case Convert(source=""):
            yield from _convert((yield from _download(request)))
        case Convert():
            yield from _convert(request)


def _download(request: Convert) -> Generator[JobEvent, None, Convert]:
    """Bring the source; return the request as it goes on from there."""
    # A conversion that needs no network does not load what reaches it.
    from mlx_engine.engine import job_hub  # noqa: PLC0415

    wanted = Download(id=request.id, repository=request.repository, revision=request.revision, commit=request.commit)
    for event in job_hub.serve(wanted):
        if isinstance(event, Downloaded):
            yield SourceArrived(request.id, event.path, event.commit)
            return msgspec.structs.replace(request, source=event.path, commit=event.commit)
        yield event
    raise AssertionError


def _convert(request: Convert) -> Iterator[JobEvent]:
    path, target = Path(request.source), Path(request.target)
    preflight.look(path, target)
    with closing(open_source(path)) as source:
        expected = preflight.check(path, target, request.recipe, source.outline)
        kept, notes = _kept(expected), (*source.notes, *expected.notes)
        yield ConversionPlanned(
            id=request.id,
            size_bytes=expected.size_bytes,
            bits_per_weight=expected.bits_per_weight,
            kept=kept,
            notes=notes,
        )
        steps = convert(source, target, request.recipe, repository=request.repository, commit=request.commit)
        yield from _progress(request.id, steps)
    if request.remove_source:
        removal.erase(removal.plan_removal(describe(path, path.name)))
    yield Converted(
        id=request.id,
        path=str(target),
        size_bytes=expected.size_bytes,
        bits_per_weight=expected.bits_per_weight,
        kept=kept,
        notes=notes,
    )


def _progress(id: str, steps: Iterator[Progress]) -> Iterator[JobEvent]:
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


def _kept(expected: Forecast) -> tuple[Kept, ...]:
    return tuple(Kept(path, reason) for path, reason in expected.kept)
