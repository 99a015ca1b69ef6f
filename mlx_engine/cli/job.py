"""One request to a job process in this process's main thread, answered event by event."""

import queue
from collections.abc import Iterator, Sequence

from mlx_engine.engine.client import GRACE_S
from mlx_engine.engine.job_client import start_job
from mlx_engine.engine.job_messages import UNDERWAY, JobEvent, JobRequest
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.job_protocol import JobFailed
from mlx_engine.measure.messages import MeasureRequest
from mlx_engine.protocol import WorkerExited
from mlx_engine.quantize.messages import Convert, ReadOutline


class JobError(FacetError):
    """The job failed, or its process died; title and message are its own."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(message)
        self.title = title


def run(request: JobRequest, folders: Folders, *, command: Sequence[str] | None = None) -> Iterator[JobEvent]:
    """Yield the events of `request`, the last one its end. Closing the iterator ends the process.

    A process that is asked to convert or to measure is kept off the network.

    Raises:
        JobError: the job failed, or its process died.
        EngineError: the process could not be started.
    """
    events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
    needs_network = not isinstance(request, ReadOutline | Convert | MeasureRequest)
    client = start_job(events.put, logs=folders.logs, needs_network=needs_network, command=command)
    try:
        client.send(request)
        while True:
            event = events.get()
            if isinstance(event, JobFailed):
                raise JobError(event.title, event.message)
            if isinstance(event, WorkerExited):
                raise JobError("The job stopped", event.reason)
            yield event
            if not isinstance(event, UNDERWAY):
                return
    finally:
        client.close()
        client.join(2 * GRACE_S)
