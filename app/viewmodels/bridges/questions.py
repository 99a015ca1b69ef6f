"""Questions to a job process, each answered through its own callback in the window's thread."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.job_session import JobSession
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent, JobReply, JobRequest
from mlx_engine.errors import FacetError
from mlx_engine.protocol import RequestFailed

OnReply = Callable[[JobReply], None]


class Questions(QObject):
    """Asks one job process, which starts with the first question and is kept for the next ones.

    `command` starts the process.
    """

    _arrived = Signal(object)  # Parcel[JobEvent], from any thread

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._callbacks: dict[str, OnReply] = {}
        self._session = JobSession(post=self._arrived.emit, on_reply=self._dispatch, logs=logs, command=command)
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def ask(self, request: JobRequest, on_reply: OnReply, *, latest_only: bool = False) -> None:
        """Ask a question, whose id differs from those of all open questions.

        `on_reply` gets the progress events, then the answer or a `RequestFailed`. `latest_only` drops the open
        questions first.
        """
        if latest_only:
            self.drop()
        self._callbacks[request.id] = on_reply
        try:
            self._session.ask(request)
        except FacetError as error:
            self._dispatch(RequestFailed.from_error(request.id, error))

    def drop(self) -> None:
        """Forget all open questions."""
        self._callbacks.clear()
        self._session.drop()

    def close(self) -> None:
        """Forget all open questions and end the process; the next question starts a new one."""
        self._callbacks.clear()
        self._session.close()

    @Slot(object)
    def _receive(self, parcel: Parcel[JobEvent]) -> None:
        self._session.receive(parcel)

    def _dispatch(self, reply: JobReply) -> None:
        on_reply = self._callbacks[reply.id]
        if not isinstance(reply, PROGRESS):
            del self._callbacks[reply.id]
        on_reply(reply)
