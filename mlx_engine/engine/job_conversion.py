"""Serves what a job process is asked about conversions: what a model consists of, and to convert it."""

import time
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.models.hub.pace import Pace
from mlx_engine.quantize.convert import Progress, convert
from mlx_engine.quantize.messages import ConversionProgress, Convert, OutlineRead, ReadOutline
from mlx_engine.quantize.tracing import read_outline

INTERVAL_S = 0.2
"""Between two reports of the progress."""


def serve(request: ReadOutline | Convert) -> Iterator[JobEvent]:
    """Yield the events of one request.

    Raises:
        FacetError: it cannot be done.
    """
    match request:
        case ReadOutline():
            yield OutlineRead(request.id, read_outline(Path(request.model)).outline)
        case Convert():
            yield from _convert(request)
