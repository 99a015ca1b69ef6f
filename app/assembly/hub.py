"""The Hub: search, downloads, account and publishing, built on first use."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.assembly.parts import Parts
from app.viewmodels.bridges.questions import Questions
from app.viewmodels.hub.account import AccountViewModel
from app.viewmodels.hub.discover import DiscoverViewModel
from app.viewmodels.hub.downloads import Downloads
from app.viewmodels.hub.publish import Publishing
from app.viewmodels.jobs.queue import Jobs

if TYPE_CHECKING:
    from app.views.discover.page import DiscoverPage
    from app.views.publish.page import PublishPage


class HubAssembly(QObject):
    """View-models of the Hub. Downloads and publications become jobs."""

    def __init__(self, parts: Parts, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._parts, self._jobs = parts, jobs
        logs = parts.folders.logs
        self.downloads = Downloads(jobs, parts.library, self)
        self.discover = DiscoverViewModel(logs, self)
        self.account = AccountViewModel(logs, self)
        self.publishing = Publishing(Questions(logs, self), jobs.add, self)
        self.account.signed_in.connect(self.publishing.on_signed_in)
        self.publishing.problem.connect(parts.notifier.error)
        parts.offline.changed.connect(self.discover.reset)

    def page(self) -> "DiscoverPage":
        """Return a new Discover page."""
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - publishing does not need it

        offline, theme = self._parts.offline, self._parts.theme
        return DiscoverPage(self.discover, self.downloads, self._jobs, self.account, offline, theme)

    def publish_page(self) -> "PublishPage":
        """Return a new page that publishes a conversion."""
        from app.views.publish.page import PublishPage  # noqa: PLC0415 - downloads do not need it

        return PublishPage(self.publishing, self._parts.theme)

    def close(self) -> None:
        """End all processes except those of jobs."""
        self.publishing.close()
        self.discover.close()
        self.account.close()
