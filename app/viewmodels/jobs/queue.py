"""All that takes long and goes on by itself: downloads, conversions and what is published, in one queue."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.jobs import JobBridge
from app.viewmodels.jobs import items as job_items
from app.viewmodels.jobs.items import JobItem, JobKind, Task
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.amounts import format_count, format_percent
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_state import Done, Failed, Queued
from mlx_engine.hub_messages import Download

_AT_REST: Mapping[JobKind, str] = {"failed": "failed", "queued": "waiting", "paused": "paused"}
_VERBS: Mapping[Task, str] = {"download": "Downloading", "conversion": "Quantizing", "publication": "Publishing"}


class Jobs(QObject):
    """`converted`, `published` and `failed` tell the ends of what was begun here, each once."""

    changed = Signal(str)  # the id of a job that is new, different or gone
    converted = Signal(str, str)  # the id of the model, what to say of it
    published = Signal(str, str)  # the repository, what to say of it
    failed = Signal(str, str)  # what was not made, why and what to do

    def __init__(self, bridge: JobBridge, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge, self._library = bridge, library
        self._told: set[str] = set()
        self._awaited: list[JobItem] = []
        """Downloads and conversions that have ended, until the library has their models."""
        bridge.changed.connect(self._follow)
        library.refreshed.connect(self._tell_arrived)

    @property
    def items(self) -> list[JobItem]:
        """All jobs, in the order of the queue."""
        return [job_items.item(job) for job in self._bridge.jobs]

    def item(self, id: str) -> JobItem | None:
        job = self._bridge.job(id)
        return job_items.item(job) if job else None

    def download_of(self, repository: str) -> JobItem | None:
        """Return the download of a repository; None if there is none."""
        downloads = (job for job in self._bridge.jobs if isinstance(job.request, Download))
        return next((job_items.item(job) for job in downloads if job.request.repository == repository), None)

    def add(self, request: QueuedRequest) -> str:
        """Put a job at the end of the queue; return its id. If the same one is there, that one goes on instead.

        Raises:
            StorageError: another job makes something else in the same place.
        """
        return self._bridge.add(request)

    def download(self, repository: str) -> str:
        """Put the download of a repository into the queue, as `add` does."""
        return self._bridge.download(repository)

    def pause(self, id: str) -> None:
        self._bridge.pause(id)

    def resume(self, id: str) -> None:
        self._bridge.resume(id)

    def cancel(self, id: str) -> None:
        self._bridge.cancel(id)

    def log_tail(self, id: str) -> str:
        """Return the last lines that the job's process has written; "" if it has none."""
        return self._bridge.log_tail(id)

    def clear_done(self, task: Task | None = None) -> None:
        """Take what is finished out of the list, of all tasks or of one; the models stay."""
        for one in self.items:
            if one.kind == "done" and task in (None, one.task):
                self._bridge.cancel(one.id)

    def model_of(self, item: JobItem) -> str:
        """Return the id of the model that the job has brought, if it can be chatted with; else ""."""
        if item.kind != "done" or item.task == "publication":
            return ""
        if item.task == "conversion":
            return item.subject if self._library.description(item.subject) else ""
        return self._library.downloaded_from(item.subject)

    @property
    def under_way(self) -> list[JobItem]:
        """The jobs that have not ended."""
        return [one for one in self.items if one.kind not in ("done", "failed")]

    @property
    def share(self) -> float:
        """How much is done of what runs, from 0 to 1."""
        running = [one.share for one in self.items if one.kind == "running"]
        return sum(running) / len(running) if running else 0.0

    def summary(self) -> str:
        """Summarize the jobs in a few words; "" if none is active and none has failed."""
        kinds = [one.kind for one in self.items]
        running = [one for one in self.items if one.kind == "running"]
        if running:
            tasks = {one.task for one in running}
            verb = "Working" if len(tasks) > 1 else _VERBS[running[0].task]
            waiting = kinds.count("queued")
            return f"{verb} · {format_percent(self.share)}" + (f" · {waiting} more" if waiting else "")
        counts = {words: kinds.count(kind) for kind, words in _AT_REST.items()}
        found = ((count, words) for words, count in counts.items() if count)
        return next((f"{format_count(count, 'job')} {words}" for count, words in found), "")

    def _follow(self, id: str) -> None:
        job = self._bridge.job(id)
        if job and isinstance(job.state, Queued):
            self._told.discard(id)
        elif job and isinstance(job.state, Done | Failed) and id not in self._told:
            self._told.add(id)
            self._tell(job_items.item(job))
        self.changed.emit(id)

    def _tell(self, item: JobItem) -> None:
        match item.task, item.kind:
            case "download", "failed":
                pass  # its row says so, and offers what helps
            case _, "failed":
                made = "made" if item.task == "conversion" else "published"
                self.failed.emit(f"{item.name} was not {made}", item.problem)
            case "publication", _:
                self.published.emit(item.subject, item.line)
            case _:
                self._awaited.append(item)
                self._library.refresh()

    def _tell_arrived(self) -> None:
        awaited, self._awaited = self._awaited, []
        for item in awaited:
            if item.task == "conversion" and self.model_of(item):
                self.converted.emit(item.subject, item.line)
        for job in self._bridge.jobs:
            if isinstance(job.state, Done):
                self.changed.emit(job.id)
