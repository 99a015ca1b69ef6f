"""Where the queue of jobs meets the window: one queued signal in, one signal out."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.viewmodels.bridges.offline import OfflineSwitch
from mlx_engine.engine.parents.job_queue import Job, JobParcel, JobQueue
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.folders import Folders


class JobBridge(QObject):
    """Goes on where the last run ended once `begin` is called; going offline makes wait what needs the network."""

    changed = Signal(str)  # the id of a job that is new, different or gone

    _arrived = Signal(object)  # JobParcel, from any thread

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
        offline.changed.connect(self._queue.follow_switch)

    def begin(self) -> None:
        """Start what is in the queue."""
        self._queue.go()

    @property
    def jobs(self) -> list[Job]:
        """All jobs, in the order of the queue."""
        return self._queue.jobs()

    def job(self, id: str) -> Job | None:
        return next((job for job in self._queue.jobs() if job.id == id), None)

    def add(self, request: QueuedRequest) -> str:
        """Put a job at the end of the queue; return its id. If the same one is there, that one goes on instead.

        Raises:
            StorageError: another job makes something else in the same place.
        """
        return self._queue.add(request)

    def download(self, repository: str) -> str:
        """Put the download of a repository into the queue, as `add` does."""
        return self._queue.download(repository)

    def pause(self, id: str) -> None:
        self._queue.pause(id)

    def resume(self, id: str) -> None:
        self._queue.resume(id)

    def cancel(self, id: str) -> None:
        self._queue.cancel(id)

    def log_tail(self, id: str) -> str:
        """Return the last lines that the job's process has written; "" if it has none."""
        return self._queue.log_tail(id)

    def close(self) -> None:
        """End the processes; the next run goes on."""
        self._queue.close()

    @Slot(object)
    def _receive(self, parcel: JobParcel) -> None:
        self._queue.receive(parcel)
