"""The next action for a repository on the Hub: download, resume, retry or chat."""

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.viewmodels.jobs.items import JobItem
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.library.library import ModelLibrary

OfferKind = Literal["download", "underway", "resume", "retry", "ready", "chat"]


@dataclass(frozen=True, slots=True)
class Offer:
    """The next action for a repository; `fraction` is the completed part of its download, from 0 to 1."""

    kind: OfferKind
    fraction: float = 0.0


class Downloads(QObject):
    """Offers the next action for each repository."""

    changed = Signal()  # the offer for some repository
    chat_requested = Signal(str)  # the id of a model in the library

    def __init__(self, jobs: Jobs, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._library = jobs, library
        jobs.changed.connect(self._on_job_changed)
        library.refreshed.connect(self.changed)

    def offer(self, repository: str) -> Offer:
        """Return the next action for the repository."""
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

    def accept(self, repository: str) -> None:
        """Run the action that `offer` returns."""
        match self.offer(repository).kind:
            case "chat":
                self.chat_requested.emit(self._library.downloaded_from(repository))
            case "download" | "resume" | "retry":
                self._jobs.download(repository)

    def model_of(self, repository: str) -> str:
        """Return the id of the repository's model in the library; "" if there is none."""
        return self._library.downloaded_from(repository)

    def retry_refused(self) -> None:
        """Retry the downloads that were refused without a valid token."""
        for item in self._jobs.items:
            if item.task == "download" and item.remedy:
                self._jobs.resume(item.id)

    def _on_job_changed(self, id: str) -> None:
        item = self._jobs.item(id)
        if item is None or item.task == "download":
            self.changed.emit()
