"""The queue of jobs and what is told of it, built in one place and only when it is wanted."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app.viewmodels.bridges.jobs import JobBridge
from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.formatting.hub import page_url
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.library.library import ModelLibrary
from app.views.jobs.entry import JobsEntry
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from mlx_engine.folders import Folders

if TYPE_CHECKING:
    from app.views.jobs.page import JobsPage


class JobsAssembly(QObject):
    """Goes on with the jobs of the last run, and tells `entry` how far they are. `show` leads to the page of that name,
    `chat_with` to a chat with the model of that id. `command` starts a job process; the default is Facet's own.
    """

    def __init__(  # noqa: PLR0913 - where these meet
        self,
        folders: Folders,
        library: ModelLibrary,
        offline: OfflineSwitch,
        notifier: Notifier,
        theme: Theme,
        entry: JobsEntry,
        *,
        parent: QObject,
        show: Callable[[str], object],
        chat_with: Callable[[str], None],
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._logs, self._notifier, self._theme, self._entry = folders.logs, notifier, theme, entry
        self._show, self._chat_with = show, chat_with
        self.bridge = JobBridge(folders, offline, self, command=command)
        self.jobs = Jobs(self.bridge, library, self)
        self.jobs.changed.connect(self._tell_entry)
        self.jobs.failed.connect(notifier.error)
        self.jobs.converted.connect(self._tell_converted)
        self.jobs.published.connect(self._tell_published)
        self.bridge.begin()
        self._tell_entry()

    def page(self) -> "JobsPage":
        """Return a new page that shows all this; signing in is not its own."""
        from app.views.jobs.page import JobsPage  # noqa: PLC0415 - jobs can go on without it
        from app.views.transcript.links import ask_to_open  # noqa: PLC0415 - as above

        page = JobsPage(self.jobs, self._theme)
        page.chat_requested.connect(self._chat_with)
        page.log_requested.connect(self._open_log)
        page.page_requested.connect(lambda repository: ask_to_open(page, page_url(repository)))
        page.discover_requested.connect(lambda: self._show("discover"))
        page.models_requested.connect(lambda: self._show("models"))
        return page

    def close(self) -> None:
        """End the processes; the next run goes on."""
        self.bridge.close()

    def _tell_entry(self) -> None:
        self._entry.tell(self.jobs.in_words(), self.jobs.share)

    def _tell_converted(self, model_id: str, words: str) -> None:
        name = model_id.rpartition("/")[2]
        self._notifier.information(
            f"{name} stands in the library.", words, action_title="Chat", action=lambda: self._chat_with(model_id)
        )

    def _tell_published(self, repository: str, words: str) -> None:
        def open_page() -> None:
            QDesktopServices.openUrl(QUrl(page_url(repository)))

        self._notifier.information(f"{repository} is published.", words, action_title="Open its page", action=open_page)

    def _open_log(self) -> None:
        log = self._logs / "jobs.log"
        shown = log if log.exists() else self._logs
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(shown)))
