"""The queue of jobs and the notifications about it, built on first use."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app.assembly.navigation import Navigation
from app.assembly.parts import Parts
from app.viewmodels.bridges.jobs import JobBridge
from app.viewmodels.formatting.hub import page_url
from app.viewmodels.jobs.queue import Jobs

if TYPE_CHECKING:
    from app.views.jobs.page import JobsPage


class JobsAssembly(QObject):
    """Resumes the jobs of the last run, and notifies the user when one ends."""

    def __init__(self, parts: Parts, navigation: Navigation, parent: QObject) -> None:
        super().__init__(parent)
        self._parts, self._navigation = parts, navigation
        self.bridge = JobBridge(parts.folders, parts.offline, self)
        self.jobs = Jobs(self.bridge, parts.library, self)
        self.jobs.failed.connect(parts.notifier.error)
        self.jobs.converted.connect(self._notify_converted)
        self.jobs.published.connect(self._notify_published)
        self.bridge.start()

    def page(self) -> "JobsPage":
        """Return a new page of the jobs."""
        from app.views.jobs.page import JobsPage  # noqa: PLC0415 - jobs run without their page
        from app.views.transcript.links import ask_to_open  # noqa: PLC0415 - as above

        page = JobsPage(self.jobs, self._parts.theme)
        page.chat_requested.connect(self._navigation.chat_with)
        page.log_requested.connect(self._open_log)
        page.page_requested.connect(lambda repository: ask_to_open(page, page_url(repository)))
        page.sign_in_requested.connect(self._navigation.sign_in)
        page.discover_requested.connect(lambda: self._navigation.show("discover"))
        page.models_requested.connect(lambda: self._navigation.show("models"))
        return page

    def close(self) -> None:
        """End the processes; the next run resumes the jobs."""
        self.bridge.close()

    def _notify_converted(self, model_id: str, message: str) -> None:
        self._parts.notifier.information(
            f"{model_id.rpartition('/')[2]} was added to your library.",
            message,
            action_title="Chat",
            action=lambda: self._navigation.chat_with(model_id),
        )

    def _notify_published(self, repository: str, message: str) -> None:
        self._parts.notifier.information(
            f"{repository} was published.",
            message,
            action_title="View on Hugging Face",
            action=lambda: QDesktopServices.openUrl(QUrl(page_url(repository))),
        )

    def _open_log(self) -> None:
        folder = self._parts.folders.logs
        log = folder / "jobs.log"
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log if log.exists() else folder)))
