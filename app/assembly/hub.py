"""What has to do with the Hub, built in one place and only when it is wanted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.viewmodels.bridges.hub import HubBridge
from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.hub.account import AccountViewModel
from app.viewmodels.hub.discover import DiscoverViewModel
from app.viewmodels.hub.downloads import Downloads
from app.viewmodels.hub.publish import Publishing
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.library.library import ModelLibrary
from app.views.kit.theme import Theme
from mlx_engine.folders import Folders

if TYPE_CHECKING:
    from app.views.discover.page import DiscoverPage
    from app.views.publish.page import PublishPage


class HubAssembly(QObject):
    """What is downloaded or published becomes jobs. `command` starts the processes that ask the Hub."""

    def __init__(  # noqa: PLR0913 - where these meet
        self,
        folders: Folders,
        library: ModelLibrary,
        offline: OfflineSwitch,
        jobs: Jobs,
        theme: Theme,
        parent: QObject | None = None,
        *,
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._offline, self._theme = jobs, offline, theme
        self.downloads = Downloads(jobs, library, self)
        self.discover = DiscoverViewModel(folders.logs, self, command=command)
        self.account = AccountViewModel(folders.logs, self, command=command)
        self.publishing = Publishing(HubBridge(folders.logs, self, command=command), jobs.add, self)
        self.account.signed_in.connect(self.publishing.follow_sign_in)
        offline.changed.connect(self.discover.reset)

    def page(self) -> "DiscoverPage":
        """Return a new page that shows all this."""
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - publishing goes without it

        return DiscoverPage(self.discover, self.downloads, self._jobs, self.account, self._offline, self._theme)

    def publish_page(self) -> "PublishPage":
        """Return a new page from which a conversion is published."""
        from app.views.publish.page import PublishPage  # noqa: PLC0415 - as above

        return PublishPage(self.publishing, self._theme)

    def close(self) -> None:
        """End all processes; jobs are not its own."""
        self.publishing.close()
        self.discover.close()
        self.account.close()
