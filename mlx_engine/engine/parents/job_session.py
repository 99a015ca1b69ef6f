"""Questions to one job process that stays alive: searches, model pages, sign-in, outlines, token texts.

Policy only, as in `pool.py`: no threads here, every method runs in the owner's thread.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from mlx_engine import network
from mlx_engine.engine.parents.client import GRACE_S, Client, Parcel
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent, JobReply, JobRequest, needs_network
from mlx_engine.errors import EngineError
from mlx_engine.measure.results.messages import ReadTokens
from mlx_engine.protocol import ProcessExited, RequestFailed


class NotAnswered(EngineError):
    title = "The question was not answered"


class JobSession:
    """A job process, started by the first question and kept for the next.

    `post` is called from another thread and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_reply` is called in the owner's thread: each question gets exactly one answer, in order, unless it is dropped;
    progress events come before the answer. The process is kept off the network unless a question needs it.
    """

    def __init__(
        self,
        *,
        post: Callable[[Parcel[JobEvent]], None],
        on_reply: Callable[[JobReply], None],
        logs: Path,
        command: Sequence[str] | None = None,
    ) -> None:
        self._post = post
        self._on_reply = on_reply
        self._logs = logs
        self._command = command
        self._client: Client[JobEvent] | None = None
        self._key = 0
        self._access: tuple[bool, bool] | None = None
        """Of the process: does it need the network, and was Facet offline when it started?"""
        self._open: dict[str, JobRequest] = {}
        """Questions without an answer yet, by id."""

    def ask(self, request: JobRequest) -> None:
        """Send a question. Its id differs from those of all open questions.

        If the question needs other access to the network than the process has, or the offline switch has changed, a
        new process replaces it, and its open questions fail.

        Raises:
            EngineError: the system could not start the process.
        """
        access = needs_network(request), network.is_offline()
        if self._client is not None and access != self._access:
            self._end_process()
            self._fail_all("Access to the network has changed. Try again.")
        if self._client is None:
            self._client = self._start(needs_network=needs_network(request))
            self._access = access
        self._open[request.id] = request
        self._client.send(request)

    def receive(self, parcel: Parcel[JobEvent]) -> None:
        """Handle one event. When the process dies, all open questions fail."""
        if parcel.key != self._key:
            return
        event = parcel.event
        if isinstance(event, ProcessExited):
            self._client = None
            self._fail_all(event.reason)
        elif event.id in self._open:
            if not isinstance(event, PROGRESS):
                del self._open[event.id]
            self._on_reply(event)

    def drop(self) -> None:
        """Forget all open questions, and end the process if one of them could delay the next question."""
        # Reading tokens takes milliseconds, less than a new process.
        is_busy = not all(isinstance(request, ReadTokens) for request in self._open.values())
        self._open.clear()
        if is_busy:
            self._end_process()

    def close(self) -> None:
        """Forget all open questions and end the process; the next question starts a new one."""
        self._open.clear()
        self._end_process()

    def _start(self, *, needs_network: bool) -> Client[JobEvent]:
        key = self._key = self._key + 1
        return start_job(
            lambda event: self._post(Parcel(key, event)),
            logs=self._logs,
            needs_network=needs_network,
            command=self._command,
        )

    def _end_process(self) -> None:
        self._key += 1
        if self._client is not None:
            self._client.close()
            self._client.join(2 * GRACE_S)
            self._client = None

    def _fail_all(self, reason: str) -> None:
        requests = list(self._open.values())
        self._open.clear()
        for request in requests:
            self._on_reply(RequestFailed.from_error(request.id, NotAnswered(reason)))
