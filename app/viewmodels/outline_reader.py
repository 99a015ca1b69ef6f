"""Asks a job process of what a model consists, which takes mlx-lm to know."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.engine.job_session import JobSession, SessionParcel
from mlx_engine.errors import FacetError
from mlx_engine.job_protocol import JobFailed
from mlx_engine.quantize.messages import OutlineRead, ReadOutline

Answered = Callable[[OutlineRead | JobFailed], None]


class OutlineReader(QObject):
    """One question at a time: a new one drops the one before. `command` starts the process."""

    _arrived = Signal(object)  # SessionParcel, from any thread

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._answered: Answered | None = None
        self._session = JobSession(
            post=self._arrived.emit, on_event=self._answer, logs=logs, needs_network=False, command=command
        )
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def read(self, model: Path, answered: Answered) -> None:
        """Ask for the outline of the model at that path; `answered` gets it, or why there is none."""
        self._session.drop()
        self._answered = answered
        question = ReadOutline(uuid.uuid4().hex, str(model))
        try:
            self._session.ask(question)
        except FacetError as error:
            self._answer(
                JobFailed(id=question.id, error=type(error).__name__, title=error.title, message=error.message)
            )

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._answered = None
        self._session.close()

    @Slot(object)
    def _receive(self, parcel: SessionParcel) -> None:
        self._session.receive(parcel)

    def _answer(self, event: JobEvent) -> None:
        answered, self._answered = self._answered, None
        if answered and isinstance(event, OutlineRead | JobFailed):
            answered(event)
