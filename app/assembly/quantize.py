"""What has to do with quantizing, built in one place and only when it is wanted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.viewmodels.bridges.outline_reader import OutlineReader
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.library.library import ModelLibrary
from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.recipe_store import RecipeShelf
from app.viewmodels.quantize.state import Fetching, Ready, Unreachable
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import this_machine

if TYPE_CHECKING:
    from app.views.quantize.page import QuantizePage


class QuantizeAssembly(QObject):
    """What is asked for becomes jobs; `show` leads to the page of that name. `command` starts a process that reads."""

    def __init__(  # noqa: PLR0913 - where these meet
        self,
        folders: Folders,
        library: ModelLibrary,
        jobs: Jobs,
        notifier: Notifier,
        theme: Theme,
        *,
        parent: QObject,
        show: Callable[[str], object],
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._show = theme, show
        self.shelf = RecipeShelf(folders.recipes, self)
        reader = OutlineReader(folders.logs, self, command=command)
        self.quantize = Quantize(folders.models, reader, self.shelf, this_machine(), jobs.add, self)
        self._page: QuantizePage | None = None
        for source in (self.shelf, self.quantize):
            source.problem.connect(notifier.error)
        self.quantize.started.connect(lambda _count: show("jobs"))
        library.refreshed.connect(self.quantize.plans_changed)

    def page(self) -> "QuantizePage":
        """Return the page of recipes."""
        from app.views.quantize.page import QuantizePage  # noqa: PLC0415 - the Lab has recipes without it

        self._page = QuantizePage(self.quantize, self._theme)
        self._page.left.connect(self._leave)
        self._page.path_chosen.connect(self.open_path)
        return self._page

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
        """End the process that reads; jobs are not its own."""
        self.quantize.close()

    def _leave(self) -> None:
        """Lead back to where the person chose the model."""
        state = self.quantize.state
        is_on_hub = isinstance(state, Fetching | Unreachable) or (isinstance(state, Ready) and state.coming)
        self._show("discover" if is_on_hub else "models")
