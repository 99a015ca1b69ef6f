"""The downloads, and what can be done about a repository at the moment."""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.viewmodels import download_items, hub_words
from app.viewmodels.download_items import DownloadItem
from app.viewmodels.job_bridge import JobBridge
from app.viewmodels.model_library import ModelLibrary
from mlx_engine.engine.job_state import Done, Failed, Paused, Queued
from mlx_engine.engine.jobs import Job
from mlx_engine.job_protocol import Download

OfferKind = Literal["download", "underway", "resume", "retry", "ready", "chat"]


@dataclass(frozen=True, slots=True)
class Offer:
    """The next thing to do with a repository. `share` of its download is done, from 0 to 1."""

    kind: OfferKind
    share: float = 0.0


class Downloads(QObject):
    """The downloads among the jobs."""

    changed = Signal(str)  # the id of a download that is new, different or gone
    library_changed = Signal()  # which repositories are in the library
    chat_requested = Signal(str)  # the id of a model in the library

    def __init__(self, jobs: JobBridge, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._library = jobs, library
        self._done: set[str] = set()
        jobs.changed.connect(self._tell)
        library.refreshed.connect(self.library_changed)

    @property
    def items(self) -> list[DownloadItem]:
        """All downloads, in the order of the queue."""
        return [item for job in self._jobs.jobs if (item := download_items.item(job))]

    def item(self, id: str) -> DownloadItem | None:
        job = self._jobs.job(id)
        return download_items.item(job) if job else None

    def offer(self, repository: str) -> Offer:
        """Return what can be done with the repository next."""
        if self.model_of(repository):
            return Offer("chat", 1.0)
        states = (job.state for job in self._jobs.jobs if _brings(job, repository))
        match next(states, None):
            case None:
                return Offer("download")
            case Done():
                return Offer("ready", 1.0)
            case Paused() as state:
                return Offer("resume", hub_words.share(state))
            case Failed():
                return Offer("retry")
            case state:
                return Offer("underway", hub_words.share(state))

    def take(self, repository: str) -> None:
        """Do what `offer` says."""
        match self.offer(repository).kind:
            case "chat":
                self.chat_requested.emit(self.model_of(repository))
            case "download" | "resume" | "retry":
                self._jobs.download(repository)

    def model_of(self, repository: str) -> str:
        """Return the id of the model in the library that came from the repository; "" if there is none."""
        folder = "models--" + repository.replace("/", "--")
        for model in self._library.usable():
            if model.source == repository or folder in model.path.parts:
                return model.id
        return ""

    def pause(self, id: str) -> None:
        self._jobs.pause(id)

    def resume(self, id: str) -> None:
        self._jobs.resume(id)

    def cancel(self, id: str) -> None:
        self._jobs.cancel(id)

    def retry_refused(self) -> None:
        """Try again what was refused for want of a token."""
        for job in self._jobs.jobs:
            if isinstance(job.state, Failed) and job.state.error in ("NeedsToken", "WrongToken", "NeedsConsent"):
                self._jobs.resume(job.id)

    def clear_done(self) -> None:
        """Take what is finished out of the list; the models stay."""
        for job in self._jobs.jobs:
            if isinstance(job.request, Download) and isinstance(job.state, Done):
                self._jobs.cancel(job.id)

    def _tell(self, id: str) -> None:
        job = self._jobs.job(id)
        if job and isinstance(job.state, Done) and id not in self._done:
            self._done.add(id)
            self._library.refresh()
        elif job and isinstance(job.state, Queued):
            self._done.discard(id)
        self.changed.emit(id)


def _brings(job: Job, repository: str) -> bool:
    return isinstance(job.request, Download) and job.request.repository == repository
