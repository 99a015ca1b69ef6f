"""The job queue with Qt signals: events of the processes reach it through one queued signal."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.viewmodels.bridges.offline import OfflineSwitch
from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.job_queue import Job, JobQueue
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders


class JobBridge(QObject):
    """Resumes the queue of the last run once `start` is called. Jobs that need the network wait while Facet is offline.

    `command` starts a job process.
    """

    changed = Signal(str)  # id of a job that was added, changed or removed

    _arrived = Signal(object)  # Parcel[JobEvent], from any thread

    def __init__(
        self,
        folders: Folders,
        offline: OfflineSwitch,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._queue = JobQueue(post=self._arrived.emit, on_change=self.changed.emit, folders=folders, command=command)
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        offline.changed.connect(self._queue.refresh_network)

    def start(self) -> None:
        """Start the queued jobs."""
        self._queue.start()

    @property
    def jobs(self) -> list[Job]:
        """All jobs, in queue order."""
        return self._queue.jobs()

    def job(self, id: str) -> Job | None:
        return next((job for job in self._queue.jobs() if job.id == id), None)

    def add(self, request: QueuedRequest) -> str:
        """Add a job to the end of the queue and return its id. If the queue has an equal job, resume that one instead.

        Raises:
            AlreadyExists: another job creates a different result with the same name.
        """
        return self._queue.add(request)

    def download(self, repository: str) -> str:
        """Add the download of a repository to the queue, as `add` does."""
        return self._queue.download(repository)

    def pause(self, id: str) -> None:
        self._queue.pause(id)

    def resume(self, id: str) -> None:
        self._queue.resume(id)

    def cancel(self, id: str) -> None:
        self._queue.cancel(id)

    def log_tail(self, id: str) -> str:
        """Return the last log lines of the job's process; "" if there are none."""
        return self._queue.log_tail(id)

    def close(self) -> None:
        """End the processes; the next run resumes the queue."""
        self._queue.close()

    @Slot(object)
    def _receive(self, parcel: Parcel[JobEvent]) -> None:
        self._queue.receive(parcel)
