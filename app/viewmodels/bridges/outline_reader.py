"""Asks a job process of what a model consists, which takes mlx-lm to know."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.viewmodels.bridges.session import SessionBridge
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import JobFailed
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline

Answered = Callable[[OutlineRead | JobFailed], None]


class OutlineReader(QObject):
    """One question at a time: a new one drops the one before. `command` starts the processes: one that has no network,
    and one that reads what is on the Hub.
    """

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._answered: Answered | None = None
        self._session = SessionBridge(self._answer, logs, self, needs_network=False, command=command)
        self._hub = SessionBridge(self._answer, logs, self, needs_network=True, command=command)

    def read(self, model: Path, answered: Answered) -> None:
        """Ask for the outline of the model at that path; `answered` gets it, or why there is none."""
        self._ask(self._session, ReadOutline(uuid.uuid4().hex, str(model)), answered)

    def read_repository(self, repository: str, answered: Answered) -> None:
        """Ask for the outline of what is on the Hub, which takes no weights."""
        # Let it know the offline switch and the token as they are.
        self._hub.close()
        self._ask(self._hub, ReadOutline(uuid.uuid4().hex, repository=repository), answered)

    def _ask(self, session: SessionBridge, question: ReadOutline, answered: Answered) -> None:
        self._session.drop()
        self._hub.drop()
        self._answered = answered
        session.ask(question)

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._answered = None
        self._session.close()
        self._hub.close()

    def _answer(self, event: JobEvent) -> None:
        answered, self._answered = self._answered, None
        if answered and isinstance(event, OutlineRead | JobFailed):
            answered(event)
