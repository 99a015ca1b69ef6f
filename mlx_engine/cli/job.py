"""Synchronous requests to a job process, answered event by event in the main thread."""

import queue
from collections.abc import Iterator, Sequence
from contextlib import closing

from mlx_engine.engine.parents.client import GRACE_S
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent, JobRequest, needs_network
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.protocol import ProcessExited, RequestFailed


class JobError(FacetError):
    """A failed job or a dead job process, with the title and message that the process reported."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(message)
        self.title = title


class JobSubprocess:
    """A job process, without network access unless it `needs_network`. The caller closes it.

    Raises:
        EngineError: the process could not be started.
    """

    def __init__(self, folders: Folders, *, needs_network: bool, command: Sequence[str] | None = None) -> None:
        self._events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
        self._client = start_job(self._events.put, logs=folders.logs, needs_network=needs_network, command=command)

    def run(self, request: JobRequest) -> Iterator[JobEvent]:
        """Yield the events of `request`, up to its last one.

        Raises:
            JobError: the request failed, or the process died.
        """
        self._client.send(request)
        while True:
            event = self._events.get()
            if isinstance(event, RequestFailed):
                raise JobError(event.title, event.message)
            if isinstance(event, ProcessExited):
                raise JobError("The job stopped", event.reason)
            yield event
            if not isinstance(event, PROGRESS):
                return

    def close(self) -> None:
        """End the process and wait for it."""
        self._client.close()
        self._client.join(2 * GRACE_S)


def run(request: JobRequest, folders: Folders, *, command: Sequence[str] | None = None) -> Iterator[JobEvent]:
    """Yield the events of one request to a new process. Closing the iterator ends the process.

    The process has no network access unless the request needs it.

    Raises:
        JobError: the job failed, or its process died.
        EngineError: the process could not be started.
    """
    with closing(JobSubprocess(folders, needs_network=needs_network(request), command=command)) as process:
        yield from process.run(request)
