"""Where the answers of a job session meet the window: a queued signal."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.parents.job_session import JobSession, SessionParcel
from mlx_engine.engine.values.job_messages import JobEvent, JobRequest
from mlx_engine.errors import FacetError
from mlx_engine.hub_messages import JobFailed


class SessionBridge(QObject):
    """A `JobSession` whose events are `told` in the window's thread. `command` starts its process; one that cannot be
    started is told as well.
    """

    _arrived = Signal(object)  # SessionParcel, from any thread

    def __init__(
        self,
        told: Callable[[JobEvent], None],
        logs: Path,
        parent: QObject | None = None,
        *,
        needs_network: bool,
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._told = told
        self._session = JobSession(
            post=self._arrived.emit, on_event=told, logs=logs, needs_network=needs_network, command=command
        )
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    def ask(self, request: JobRequest) -> None:
        """Ask; a `JobFailed` is told at once if there is nobody to answer."""
        try:
            self._session.ask(request)
        except FacetError as error:
            self._told(JobFailed(id=request.id, error=type(error).__name__, title=error.title, message=error.message))

    def drop(self) -> None:
        """Forget what has not been answered yet."""
        self._session.drop()

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._session.close()

    @Slot(object)
    def _receive(self, parcel: SessionParcel) -> None:
        self._session.receive(parcel)
