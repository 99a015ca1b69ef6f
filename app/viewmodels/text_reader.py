"""Asks a job process whether a text can be measured on, and how much of it there is for a model's tokenizer."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.engine.job_session import JobSession, SessionParcel
from mlx_engine.errors import FacetError
from mlx_engine.job_protocol import JobFailed
from mlx_engine.measure.messages import CorpusRead, ReadCorpus
from mlx_engine.measure.plan import Plan

Answered = Callable[[CorpusRead | JobFailed], None]


class TextReader(QObject):
    """One question at a time: a new one drops the one before. `command` starts the process, which has no network."""

    _arrived = Signal(object)  # SessionParcel, from any thread

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._answered: Answered | None = None
        self._session = JobSession(
            post=self._arrived.emit, on_event=self._answer, logs=logs, needs_network=False, command=command
        )
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def read(self, model: Path, plan: Plan, answered: Answered) -> None:
        """Ask about the text of `plan`; `answered` gets how much it is, or what is wrong with it."""
        question = ReadCorpus(
            id=uuid.uuid4().hex,
            model=str(model),
            corpus=plan.corpus,
            convention=plan.convention,
            limit_tokens=plan.limit_tokens,
        )
        self._session.drop()
        self._answered = answered
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
        if answered and isinstance(event, CorpusRead | JobFailed):
            answered(event)
