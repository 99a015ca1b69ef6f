"""Questions that one job process answers, which stays: searches, pages, signing in, what a model consists of.

As in `pool.py`: no threads of its own, every method runs in the owner's thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.engine.parents.client import GRACE_S, Client
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import UNDERWAY, JobEvent, JobRequest
from mlx_engine.hub_messages import JobFailed
from mlx_engine.protocol import WorkerExited


@dataclass(frozen=True, slots=True)
class SessionParcel:
    """One event on its way from the client's thread to the owner's. Only the session opens it."""

    client_key: int
    event: JobEvent


class JobSession:
    """A job process, started at the first question and kept for the next.

    `post` is called from another thread and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_event` is called in the owner's thread; every question is answered by exactly one event, in order, unless it
    was dropped; those that tell how far it is come before. Without `needs_network` the process is kept off the
    network, whatever the switch says.
    """

    def __init__(
        self,
        *,
        post: Callable[[SessionParcel], None],
        on_event: Callable[[JobEvent], None],
        logs: Path,
        needs_network: bool = True,
        command: Sequence[str] | None = None,
    ) -> None:
        self._post = post
        self._on_event = on_event
        self._logs = logs
        self._needs_network = needs_network
        self._command = command
        self._client: Client[JobEvent] | None = None
        self._key = 0
        self._waiting: list[str] = []

    def ask(self, request: JobRequest) -> None:
        """Send a question.

        Raises:
            EngineError: the system could not start the process.
        """
        if self._client is None:
            self._client = self._start()
        self._waiting.append(request.id)
        self._client.send(request)

    def receive(self, parcel: SessionParcel) -> None:
        """Take in one event. When the process dies, the questions it still had fail."""
        if parcel.client_key != self._key:
            return
        event = parcel.event
        if isinstance(event, WorkerExited):
            self._client = None
            while self._waiting:
                self._on_event(_unanswered(self._waiting.pop(0), event.reason))
        elif event.id in self._waiting:
            if not isinstance(event, UNDERWAY):
                self._waiting.remove(event.id)
            self._on_event(event)

    def drop(self) -> None:
        """Forget all questions that are not answered yet; a Hub that hangs does not hold up the next one."""
        if self._waiting:
            self.close()

    def close(self) -> None:
        """End the process; the next question starts it anew."""
        self._waiting.clear()
        self._key += 1
        if self._client is not None:
            self._client.close()
            self._client.join(2 * GRACE_S)
            self._client = None

    def _start(self) -> Client[JobEvent]:
        key = self._key = self._key + 1

        def post(event: JobEvent) -> None:
            self._post(SessionParcel(key, event))

        return start_job(post, logs=self._logs, needs_network=self._needs_network, command=self._command)


def _unanswered(id: str, reason: str) -> JobFailed:
    return JobFailed(id=id, error="EngineError", title="The question was not answered", message=reason)
