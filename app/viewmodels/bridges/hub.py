"""Brings the answers of the Hub to whoever asked."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.viewmodels.bridges.session import SessionBridge
from mlx_engine.engine.values.job_messages import JobEvent, JobRequest

Answered = Callable[[JobEvent], None]


class HubBridge(QObject):
    """Puts questions to the Hub by a job process, which starts with the first. `command` starts it."""

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[str, Answered] = {}
        self._session = SessionBridge(self._answer, logs, self, needs_network=True, command=command)

    def ask(self, question: Callable[[str], JobRequest], answered: Answered) -> None:
        """Ask what `question` makes of a new id. `answered` gets one event, a `JobFailed` if there is no answer."""
        asked = question(uuid.uuid4().hex)
        self._waiting[asked.id] = answered
        self._session.ask(asked)

    def drop(self) -> None:
        """Forget what has not been answered yet."""
        self._waiting.clear()
        self._session.drop()

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._waiting.clear()
        self._session.close()

    def _answer(self, event: JobEvent) -> None:
        # The one event without an id is the end of the process, which the session keeps to itself.
        answered = self._waiting.pop(getattr(event, "id", ""), None)
        if answered:
            answered(event)
