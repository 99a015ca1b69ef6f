"""Facet's own job process, which pauses chosen conversions by itself once they are partly written.

A conversion whose source was passed to `pause_midway` pauses after its first write, until it is resumed; the next
conversion of the same source does not. However slow the test is, it meets a conversion that is half done.
"""

import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from mlx_engine.__main__ import main
from mlx_engine.engine.children import job
from mlx_engine.engine.children.job import JobControl
from mlx_engine.engine.values.job_messages import JobEvent, JobRequest
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import ConversionProgress, Convert

COMMAND = [sys.executable, "-m", "tests.pausing_job"]

_control = JobControl()
_answer = job.answer


def pause_midway(source: Path) -> Path:
    """Let the next conversion of `source` pause once it is partly written; return `source`."""
    _marker(source).touch()
    return source


def _marker(source: Path) -> Path:
    return source.with_name(f"{source.name}.pause")


def answer(request: JobRequest | RequestFailed) -> Generator[JobEvent, None, None]:
    """Yield the events of `job.answer`; the job is paused from the first event that reports written bytes."""
    marker = _marker(Path(request.source)) if isinstance(request, Convert) and request.source else None
    with closing(_answer(request)) as events:
        for event in events:
            if marker and marker.exists() and isinstance(event, ConversionProgress) and event.done_bytes:
                marker.unlink()
                _control.pause()
            yield event


if __name__ == "__main__":
    job.answer = answer
    job.JobControl = lambda: _control  # type: ignore[misc,assignment]  # `answer` pauses the same one
    sys.exit(main(["job"]))
