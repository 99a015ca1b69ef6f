"""What has to do with quantizing and with jobs, built in one place and only when it is wanted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app.viewmodels.hub_words import address
from app.viewmodels.job_bridge import JobBridge
from app.viewmodels.jobs import Jobs
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.outline_reader import OutlineReader
from app.viewmodels.quantize import Fetching, Quantize, Ready, Unreachable
from app.viewmodels.recipe_shelf import RecipeShelf
from app.views.notification import Notifier
from app.views.theme import Theme
from app.views.transcript.links import ask_to_open
from mlx_engine.folders import Folders
from mlx_engine.models.description import ModelDescription
from mlx_engine.models.machine import this_machine

if TYPE_CHECKING:
    from app.views.jobs.page import JobsPage
    from app.views.quantize.page import QuantizePage


class QuantizeAssembly(QObject):
    """`show` leads to the page of that name, `chat_with` to a chat with the model of that id. `command` starts jobs."""

    def __init__(  # noqa: PLR0913 - where these meet
        self,
        folders: Folders,
        library: ModelLibrary,
        bridge: JobBridge,
        notifier: Notifier,
        theme: Theme,
        *,
        parent: QObject,
        show: Callable[[str], object],
        chat_with: Callable[[str], None],
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._library, self._notifier, self._theme = folders, library, notifier, theme
        self._show, self._chat_with = show, chat_with
        self.jobs = Jobs(bridge, library, self)
        self.shelf = RecipeShelf(folders.data / "recipes", self)
        reader = OutlineReader(folders.logs, self, command=command)
        self.quantize = Quantize(folders.models, reader, self.shelf, this_machine(), bridge.add, self)
        self._page: QuantizePage | None = None
        for source in (self.shelf, self.quantize):
            source.problem.connect(notifier.error)
        self.quantize.started.connect(lambda _count: show("jobs"))
        library.refreshed.connect(self.quantize.plans_changed)
        self.jobs.failed.connect(notifier.error)
        self.jobs.converted.connect(self._tell_converted)
        self.jobs.published.connect(self._tell_published)

    def page(self) -> "QuantizePage":
        """Return the page of recipes."""
        from app.views.quantize.page import QuantizePage  # noqa: PLC0415 - jobs can go on without it

        self._page = QuantizePage(self.quantize, self._theme)
        self._page.left.connect(self._leave)
        self._page.path_chosen.connect(self.open_path)
        return self._page

    def jobs_page(self) -> "JobsPage":
        """Return the page of jobs."""
        from app.views.jobs.page import JobsPage  # noqa: PLC0415 - as above

        page = JobsPage(self.jobs, self._theme)
        page.chat_requested.connect(self._chat_with)
        page.log_requested.connect(self._open_log)
        page.page_requested.connect(lambda repository: ask_to_open(page, address(repository)))
        page.discover_requested.connect(lambda: self._show("discover"))
        page.models_requested.connect(lambda: self._show("models"))
        return page

    def open(self, model: ModelDescription) -> None:
        """Show the recipes for the model."""
        self.quantize.open(model)
        self._show("quantize")

    def open_repository(self, repository: str) -> None:
        """Show the recipes for a model on the Hub."""
        self.quantize.open_repository(repository)
        self._show("quantize")

    def open_path(self, path: Path) -> None:
        """Show the recipes for a model that need not be in the library."""
        if model := self.quantize.describe(path):
            self.open(model)

    def ask_for_path(self, *, is_file: bool) -> None:
        """Let the person choose a model that need not be in the library."""
        self._show("quantize")
        if self._page:
            self._page.ask_for_path(is_file=is_file)

    def close(self) -> None:
        """End the process that reads; jobs are the bridge's."""
        self.quantize.close()

    def _leave(self) -> None:
        """Lead back to where the person chose the model."""
        state = self.quantize.state
        is_on_hub = isinstance(state, Fetching | Unreachable) or (isinstance(state, Ready) and state.coming)
        self._show("discover" if is_on_hub else "models")

    def _tell_converted(self, model_id: str, words: str) -> None:
        name = model_id.rpartition("/")[2]
        self._notifier.information(
            f"{name} stands in the library.", words, offer="Chat", accept=lambda: self._chat_with(model_id)
        )

    def _tell_published(self, repository: str, words: str) -> None:
        def open_page() -> None:
            QDesktopServices.openUrl(QUrl(address(repository)))

        self._notifier.information(f"{repository} is published.", words, offer="Open its page", accept=open_page)

    def _open_log(self) -> None:
        log = self._folders.logs / "jobs.log"
        shown = log if log.exists() else self._folders.logs
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(shown)))
