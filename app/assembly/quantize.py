"""Quantization: recipes and the page that applies them, built on first use."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.assembly.navigation import Navigation
from app.assembly.parts import Parts
from app.viewmodels.bridges.questions import Questions
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.recipe_store import RecipeStore
from app.viewmodels.quantize.state import FetchingModel, RecipesReady, RepositoryFailed
from mlx_engine.models.description.description import ModelDescription

if TYPE_CHECKING:
    from app.views.quantize.page import QuantizePage


class QuantizeAssembly(QObject):
    """View-models of the Quantize page. Conversions become jobs."""

    def __init__(self, parts: Parts, navigation: Navigation, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._theme, self._navigation = parts.theme, navigation
        folders = parts.folders
        self.recipe_store = RecipeStore(folders.recipes, self)
        questions = Questions(folders.logs, self)
        self.quantize = Quantize(folders.models, questions, self.recipe_store, parts.machine, jobs.add, self)
        self._page: QuantizePage | None = None
        for source in (self.recipe_store, self.quantize):
            source.problem.connect(parts.notifier.error)
        self.quantize.started.connect(lambda _count: navigation.show("jobs"))
        parts.library.refreshed.connect(self.quantize.plans_changed)

    def page(self) -> "QuantizePage":
        """Return the page of recipes."""
        from app.views.quantize.page import QuantizePage  # noqa: PLC0415 - the Lab has recipes without it

        self._page = QuantizePage(self.quantize, self._theme)
        self._page.back_requested.connect(self._leave)
        self._page.path_chosen.connect(self.open_path)
        return self._page

    def open(self, model: ModelDescription) -> None:
        """Show the recipes for the model."""
        self.quantize.open(model)
        self._navigation.show("quantize")

    def open_repository(self, repository: str) -> None:
        """Show the recipes for a model on the Hub."""
        self.quantize.open_repository(repository)
        self._navigation.show("quantize")

    def open_path(self, path: Path) -> None:
        """Show the recipes for a model that may be outside the library."""
        if model := self.quantize.describe(path):
            self.open(model)

    def ask_for_path(self, *, is_file: bool) -> None:
        """Let the user choose a model that may be outside the library."""
        self._navigation.show("quantize")
        if self._page:
            self._page.ask_for_path(is_file=is_file)

    def close(self) -> None:
        """End the process that reads models; jobs continue."""
        self.quantize.close()

    def _leave(self) -> None:
        """Return to the page where the user chose the model."""
        state = self.quantize.state
        is_on_hub = isinstance(state, FetchingModel | RepositoryFailed) or (
            isinstance(state, RecipesReady) and state.download
        )
        self._navigation.show("discover" if is_on_hub else "models")
