"""Serves conversion requests: reads the outline of a model, and converts it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from mlx_engine.engine.children import conversion_events
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.plan import original, preflight
from mlx_engine.quantize.plan.messages import Convert, OutlineRead, ReadOutline


def serve(request: ReadOutline | Convert) -> Iterator[JobEvent]:
    """Yield the events of one request.

    Raises:
        FacetError: the request failed.
    """
    match request:
        case ReadOutline(model="") | Convert(source=""):
            yield from _serve_remote(request)
        case ReadOutline():
            with closing(open_source(Path(request.model))) as source:
                yield OutlineRead(request.id, source.outline, source.notes)
        case Convert():
            yield from _convert(request)


def _serve_remote(request: ReadOutline | Convert) -> Iterator[JobEvent]:
    # Local conversions do not import the code that uses the network.
    from mlx_engine.engine.children import job_stream  # noqa: PLC0415

    if isinstance(request, ReadOutline):
        yield job_stream.read_outline(request)
    elif arrived := (yield from job_stream.serve(request)):
        yield from _convert(arrived)


def _convert(request: Convert) -> Iterator[JobEvent]:
    path, target = Path(request.source), Path(request.target)
    preflight.check_start(path, target)
    if request.remove_source:
        original.require_removable(path)
    with closing(open_source(path)) as source:
        expected = preflight.check(path, target, request.recipe, source.outline)
        yield conversion_events.planned(request.id, expected, source)
        steps = convert(source, target, request.recipe, repository=request.repository, commit=request.commit)
        yield from conversion_events.progress(request.id, steps)
    done = conversion_events.converted(request.id, target, expected, source)
    note = original.remove(path) if request.remove_source else ""
    yield msgspec.structs.replace(done, notes=(*done.notes, note)) if note else done
