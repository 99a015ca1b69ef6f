"""Asks a job process what was found token by token, and lets it measure a text that a person gives."""

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject

from app.viewmodels.bridges.session import SessionBridge
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import KeepAnswers, MeasureFidelity, ReadTokens
from mlx_engine.protocol import WorkerExited

TokenRequest = ReadTokens | KeepAnswers | MeasureFidelity


class Jobs(Protocol):
    """Who answers: a `TokenJobs`."""

    def ask(self, request: TokenRequest, told: Callable[[JobEvent], None]) -> None: ...
    def close(self) -> None: ...


class TokenJobs(QObject):
    """One request at a time: what the one before says is passed over. `command` starts the process.

    The process is kept for the next chunk that is read; one that had a model in memory ends, and gives it back.
    """

    def __init__(
        self, folders: Folders, parent: QObject | None = None, *, command: Sequence[str] | None = None
    ) -> None:
        super().__init__(parent)
        self._request: TokenRequest | None = None
        self._told: Callable[[JobEvent], None] | None = None
        self._session = SessionBridge(self._tell, folders.logs, self, needs_network=False, command=command)

    def ask(self, request: TokenRequest, told: Callable[[JobEvent], None]) -> None:
        """Ask; `told` is called with each event of this request, the last of which is its answer or a `JobFailed`."""
        if not (isinstance(request, ReadTokens) and isinstance(self._request, ReadTokens)):
            self._session.close()
        self._request, self._told = request, told
        self._session.ask(request)

    def close(self) -> None:
        """End the process; the next request starts another."""
        self._request = self._told = None
        self._session.close()

    def _tell(self, event: JobEvent) -> None:
        is_about_it = not isinstance(event, WorkerExited) and self._request is not None and event.id == self._request.id
        if self._told and is_about_it:
            self._told(event)
