"""The downloads: their queue with signals, and what can be done about a repository at the moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.viewmodels import download_items, hub_words
from app.viewmodels.download_items import DownloadItem
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.offline import OfflineSwitch
from mlx_engine.engine.job_state import Done, Failed, Paused, Queued
from mlx_engine.engine.jobs import Job, JobParcel, JobQueue
from mlx_engine.folders import Folders

OfferKind = Literal["download", "underway", "resume", "retry", "ready", "chat"]


@dataclass(frozen=True, slots=True)
class Offer:
    """The next thing to do with a repository. `share` of its download is done, from 0 to 1."""

    kind: OfferKind
    share: float = 0.0


class Downloads(QObject):
    """Goes on where the last run ended once `begin` is called; going offline makes it wait."""

    changed = Signal(str)  # the id of a job that is new, different or gone
    library_changed = Signal()  # which repositories are in the library
    chat_requested = Signal(str)  # the id of a model in the library

    _arrived = Signal(object)  # JobParcel, from any thread

    def __init__(
        self,
        folders: Folders,
        library: ModelLibrary,
        offline: OfflineSwitch,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._library, self._offline = library, offline
        self._queue = JobQueue(post=self._arrived.emit, on_change=self._tell, folders=folders, command=command)
        self._done: set[str] = set()
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        offline.changed.connect(self._follow_offline)
        library.refreshed.connect(self.library_changed)

    def begin(self) -> None:
        """Start what is in the queue."""
        self._queue.go()

    @property
    def items(self) -> list[DownloadItem]:
        """All downloads, in the order of the queue."""
        return [download_items.item(job) for job in self._queue.jobs()]

    def item(self, id: str) -> DownloadItem | None:
        job = self._job(id)
        return download_items.item(job) if job else None

    def offer(self, repository: str) -> Offer:
        """Return what can be done with the repository next."""
        if self.model_of(repository):
            return Offer("chat", 1.0)
        job = next((job for job in self._queue.jobs() if job.request.repository == repository), None)
        match job.state if job else None:
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
                self._queue.download(repository)

    def model_of(self, repository: str) -> str:
        """Return the id of the model in the library that came from the repository; "" if there is none."""
        folder = "models--" + repository.replace("/", "--")
        for model in self._library.usable():
            if model.source == repository or folder in model.path.parts:
                return model.id
        return ""

    def pause(self, id: str) -> None:
        self._queue.pause(id)

    def resume(self, id: str) -> None:
        self._queue.resume(id)

    def cancel(self, id: str) -> None:
        self._queue.cancel(id)

    def retry_refused(self) -> None:
        """Try again what was refused for want of a token."""
        for job in self._queue.jobs():
            if isinstance(job.state, Failed) and job.state.error in ("NeedsToken", "WrongToken", "NeedsConsent"):
                self._queue.resume(job.id)

    def clear_done(self) -> None:
        """Take what is finished out of the list; the models stay."""
        for job in self._queue.jobs():
            if isinstance(job.state, Done):
                self._queue.cancel(job.id)

    def close(self) -> None:
        """End the processes; the next run goes on."""
        self._queue.close()

    @Slot(object)
    def _receive(self, parcel: JobParcel) -> None:
        self._queue.receive(parcel)

    def _job(self, id: str) -> Job | None:
        return next((job for job in self._queue.jobs() if job.id == id), None)

    def _tell(self, id: str) -> None:
        job = self._job(id)
        if job and isinstance(job.state, Done) and id not in self._done:
            self._done.add(id)
            self._library.refresh()
        elif job and isinstance(job.state, Queued):
            self._done.discard(id)
        self.changed.emit(id)

    def _follow_offline(self) -> None:
        if self._offline.is_on:
            self._queue.hold()
        else:
            self._queue.go()
