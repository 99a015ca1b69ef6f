"""What can be done about a repository at the moment."""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.viewmodels.jobs.items import JobItem
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.library.library import ModelLibrary

OfferKind = Literal["download", "underway", "resume", "retry", "ready", "chat"]


@dataclass(frozen=True, slots=True)
class Offer:
    """The next thing to do with a repository. `share` of its download is done, from 0 to 1."""

    kind: OfferKind
    share: float = 0.0


class Downloads(QObject):
    """Knows of each repository whether it is here, on its way, or to be had."""

    changed = Signal()  # what is offered for some repository
    chat_requested = Signal(str)  # the id of a model in the library

    def __init__(self, jobs: Jobs, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._library = jobs, library
        jobs.changed.connect(self._follow)
        library.refreshed.connect(self.changed)

    def offer(self, repository: str) -> Offer:
        """Return what can be done with the repository next."""
        if self._library.downloaded_from(repository):
            return Offer("chat", 1.0)
        match self._jobs.download_of(repository):
            case None:
                return Offer("download")
            case JobItem(kind="done"):
                return Offer("ready", 1.0)
            case JobItem(kind="paused", fraction=fraction):
                return Offer("resume", fraction)
            case JobItem(kind="failed"):
                return Offer("retry")
            case item:
                return Offer("underway", item.fraction)

    def take(self, repository: str) -> None:
        """Do what `offer` says."""
        match self.offer(repository).kind:
            case "chat":
                self.chat_requested.emit(self._library.downloaded_from(repository))
            case "download" | "resume" | "retry":
                self._jobs.download(repository)

    def model_of(self, repository: str) -> str:
        """Return the id of the model in the library that came from the repository; "" if there is none."""
        return self._library.downloaded_from(repository)

    def retry_refused(self) -> None:
        """Try again what was refused for want of a token."""
        for item in self._jobs.items:
            if item.task == "download" and item.remedy:
                self._jobs.resume(item.id)

    def _follow(self, id: str) -> None:
        item = self._jobs.item(id)
        if item is None or item.task == "download":
            self.changed.emit()
