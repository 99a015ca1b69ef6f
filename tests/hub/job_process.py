"""A job process with blocking requests, for tests."""

import os
import queue
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent, JobRequest
from mlx_engine.protocol import ProcessExited

DEADLINE_S = 30


class JobProcess:
    """A real job process, started with the environment of this process."""

    def __init__(self, logs: Path, *, needs_network: bool = True, command: Sequence[str] | None = None) -> None:
        self.log = logs / "jobs.log"
        self._events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
        self._client = start_job(self._events.put, logs=logs, needs_network=needs_network, command=command)

    @property
    def pid(self) -> int:
        return self._client.pid

    def send(self, request: JobRequest) -> None:
        self._client.send(request)

    def until(self, is_last: Callable[[JobEvent], bool]) -> list[JobEvent]:
        """Return the events up to and including the first for which `is_last` is true."""
        deadline = time.monotonic() + DEADLINE_S
        events = [self._events.get(timeout=DEADLINE_S)]
        while not is_last(events[-1]):
            events.append(self._events.get(timeout=max(0, deadline - time.monotonic())))
        return events

    def run(self, request: JobRequest) -> list[JobEvent]:
        """Return all events of the request."""
        self.send(request)
        return self.until(lambda event: not isinstance(event, PROGRESS))

    def answer(self, request: JobRequest) -> JobEvent:
        """Return the last event of the request."""
        return self.run(request)[-1]

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.until(lambda event: isinstance(event, ProcessExited))

    def close(self) -> None:
        self._client.close()
        assert self._client.join(10)
