"""Where the answers of the Hub meet the window: a queued signal, and whoever asked."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.job_messages import JobEvent, JobRequest
from mlx_engine.engine.job_session import JobSession, SessionParcel
from mlx_engine.errors import FacetError
from mlx_engine.job_protocol import JobFailed

Answered = Callable[[JobEvent], None]


class HubBridge(QObject):
    """Puts questions to the Hub by a job process, which starts with the first. `command` starts it."""

    _arrived = Signal(object)  # SessionParcel, from any thread

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[str, Answered] = {}
        self._session = JobSession(post=self._arrived.emit, on_event=self._answer, logs=logs, command=command)
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def ask(self, question: Callable[[str], JobRequest], answered: Answered) -> None:
        """Ask what `question` makes of a new id. `answered` gets one event, a `JobFailed` if there is no answer."""
        asked = question(uuid.uuid4().hex)
        self._waiting[asked.id] = answered
        try:
            self._session.ask(asked)
        except FacetError as error:
            self._answer(JobFailed(id=asked.id, error=type(error).__name__, title=error.title, message=error.message))

    def drop(self) -> None:
        """Forget what has not been answered yet."""
        self._waiting.clear()
        self._session.drop()

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._waiting.clear()
        self._session.close()

    @Slot(object)
    def _receive(self, parcel: SessionParcel) -> None:
        self._session.receive(parcel)

    def _answer(self, event: JobEvent) -> None:
        # The one event without an id is the end of the process, which the session keeps to itself.
        answered = self._waiting.pop(getattr(event, "id", ""), None)
        if answered:
            answered(event)
