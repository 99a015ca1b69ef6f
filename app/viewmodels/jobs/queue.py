"""The queue of background jobs: downloads, conversions and publications."""

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.jobs import JobBridge
from app.viewmodels.jobs.items import JobItem, Task, job_item
from app.viewmodels.jobs.summary import JobsSummary
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_state import Done, Failed, Queued
from mlx_engine.hub_messages import Download


class Jobs(QObject):
    """The jobs of this and earlier runs. `converted`, `published` and `failed` are emitted once for each job."""

    changed = Signal(str)  # the id of a job that was added, changed or removed
    converted = Signal(str, str)  # the id of the model, a message
    published = Signal(str, str)  # the repository, a message
    failed = Signal(str, str)  # a title, a message

    def __init__(self, bridge: JobBridge, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._library = bridge, library
        self._reported_ids: set[str] = set()
        self._pending: list[JobItem] = []
        """Downloads and conversions that have ended, but whose models are not in the library yet."""
        bridge.changed.connect(self._on_changed)
        library.refreshed.connect(self._report_added)

    @property
    def items(self) -> list[JobItem]:
        """All jobs, in the order of the queue."""
        return [job_item(job) for job in self._bridge.jobs]

    def item(self, id: str) -> JobItem | None:
        job = self._bridge.job(id)
        return job_item(job) if job else None

    def download_of(self, repository: str) -> JobItem | None:
        """Return the download of a repository; None if there is none."""
        downloads = (job for job in self._bridge.jobs if isinstance(job.request, Download))
        return next((job_item(job) for job in downloads if job.request.repository == repository), None)

    def add(self, request: QueuedRequest) -> str:
        """Add a job to the end of the queue and return its id. If the same job exists, resume it instead.

        Raises:
            AlreadyExists: another job has the same target.
        """
        return self._bridge.add(request)

    def download(self, repository: str) -> str:
        """Add the download of a repository to the queue, as with `add`."""
        return self._bridge.download(repository)

    def pause(self, id: str) -> None:
        self._bridge.pause(id)

    def resume(self, id: str) -> None:
        self._bridge.resume(id)

    def cancel(self, id: str) -> None:
        self._bridge.cancel(id)

    def log_tail(self, id: str) -> str:
        """Return the last lines of the log of the job's process; "" if it has none."""
        return self._bridge.log_tail(id)

    def clear_done(self, task: Task | None = None) -> None:
        """Remove finished jobs from the list, of all tasks or of one; the models stay."""
        for item in self.items:
            if item.kind == "done" and task in (None, item.task):
                self._bridge.cancel(item.id)

    def model_of(self, item: JobItem) -> str:
        """Return the id of the job's model if it is in the library; otherwise ""."""
        if item.kind != "done" or item.task == "publication":
            return ""
        if item.task == "conversion":
            return item.subject if self._library.description(item.subject) else ""
        return self._library.downloaded_from(item.subject)

    def summary(self, task: Task | None = None) -> JobsSummary:
        """Summarize the jobs of all tasks or of one."""
        return JobsSummary.of(item for item in self.items if task in (None, item.task))

    def _on_changed(self, id: str) -> None:
        job = self._bridge.job(id)
        if job and isinstance(job.state, Queued):
            self._reported_ids.discard(id)
        elif job and isinstance(job.state, Done | Failed) and id not in self._reported_ids:
            self._reported_ids.add(id)
            self._report(job_item(job))
        self.changed.emit(id)

    def _report(self, item: JobItem) -> None:
        match item.task, item.kind:
            case "download", "failed":
                pass  # Its row shows the failure and the remedy.
            case _, "failed":
                verb = "create" if item.task == "conversion" else "publish"
                self.failed.emit(f"Couldn't {verb} {item.name}", item.problem)
            case "publication", _:
                self.published.emit(item.subject, item.status)
            case _:
                self._pending.append(item)
                self._library.refresh()

    def _report_added(self) -> None:
        pending, self._pending = self._pending, []
        for item in pending:
            if item.task == "conversion" and self.model_of(item):
                self.converted.emit(item.subject, item.status)
        for job in self._bridge.jobs:
            if isinstance(job.state, Done):
                self.changed.emit(job.id)
