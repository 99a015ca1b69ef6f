"""Finding models: the catalogue, a search on the Hub, the page of one repository, several side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.hub import catalog_items as catalogue_items
from app.viewmodels.hub.catalog_items import CatalogueItem
from app.viewmodels.hub.fit import HubFit, fit_of_page, fit_of_variant, largest_weights_bytes
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.hub_messages import (
    Evaluation,
    ModelGroup,
    ModelPage,
    ReadModel,
    Search,
    SearchFilters,
    SearchResults,
    Variant,
)
from mlx_engine.models.library.catalog import Recommendation, recommend
from mlx_engine.models.memory.machine import Machine, this_machine
from mlx_engine.protocol import RequestFailed, new_id

MOST_COMPARED = 6


@dataclass(frozen=True, slots=True)
class Browsing:
    """Nothing was searched for: the catalogue is what there is to see."""


@dataclass(frozen=True, slots=True)
class Searching:
    """The Hub was asked."""


@dataclass(frozen=True, slots=True)
class Found:
    groups: tuple[ModelGroup, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The page of a repository is being read."""

    repository: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """There was no answer; `error` is the class in `errors.py`."""

    error: str
    title: str
    message: str


SearchState = Browsing | Searching | Found | Trouble
PageState = None | Reading | ModelPage | Trouble


class DiscoverViewModel(QObject):
    """Asks the Hub only when told to. `search` and `page` are what there is to show; `compared` are repositories."""

    search_changed = Signal()
    page_changed = Signal()
    compared_changed = Signal()
    page_read = Signal(str)  # the repository

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self.search: SearchState = Browsing()
        self.page: PageState = None
        self.compared: tuple[Variant, ...] = ()
        self._pages: dict[str, ModelPage] = {}
        self._fits: dict[str, HubFit] = {}
        self._again: Callable[[], None] = lambda: None
        self._questions = Questions(logs, self, command=command)

    @cached_property
    def machine(self) -> Machine:
        return this_machine()

    @cached_property
    def catalogue(self) -> tuple[CatalogueItem, ...]:
        return tuple(map(catalogue_items.item, self._recommendations))

    @cached_property
    def _recommendations(self) -> tuple[Recommendation, ...]:
        return recommend(self.machine.memory_bytes)

    @property
    def largest_bytes(self) -> int:
        """The largest weights that this machine can run."""
        return largest_weights_bytes(self.machine)

    def fit(self, variant: Variant) -> HubFit:
        """Return whether the variant fits this machine: with its context, once its page was read."""
        return self._fits.get(variant.repository) or fit_of_variant(variant, self.machine)

    def find(self, filters: SearchFilters) -> None:
        """Search the Hub; what was asked before is forgotten."""
        self._again = lambda: self.find(filters)
        self._show_search(Searching())
        self._questions.ask(Search(new_id(), filters), self._take_results, latest_only=True)

    def browse(self) -> None:
        """Go back to the catalogue."""
        self._questions.drop()
        self._show_search(Browsing())

    def open(self, repository: str) -> None:
        """Read the page of a repository, unless it was read in this run."""
        self._again = lambda: self.open(repository)
        if repository in self._pages:
            self._show_page(self._pages[repository])
            return
        self._show_page(Reading(repository))
        self._questions.ask(ReadModel(new_id(), repository), self._take_page, latest_only=True)

    def close_page(self) -> None:
        if isinstance(self.page, Reading):
            self._questions.drop()
        self._show_page(None)

    def repeat(self) -> None:
        """Ask again what was asked last."""
        self._again()

    def compare(self, variant: Variant, *, included: bool) -> None:
        """Take a variant into the comparison, or out of it."""
        others = tuple(one for one in self.compared if one.repository != variant.repository)
        if included and len(others) == MOST_COMPARED:
            return
        self._show_compared((*others, variant) if included else others)

    def read_compared(self) -> None:
        """Read the pages of what is compared; `page_read` follows each."""
        for variant in self.compared:
            if variant.repository not in self._pages:
                self._questions.ask(ReadModel(new_id(), variant.repository), self._keep_page)

    def evaluations(self, variant: Variant) -> tuple[Evaluation, ...]:
        """Return what the card of the variant claims, as far as it was read."""
        page = self._pages.get(variant.repository)
        return page.evaluations if page else ()

    def clear_comparison(self) -> None:
        self._show_compared(())

    def is_compared(self, variant: Variant) -> bool:
        return any(one.repository == variant.repository for one in self.compared)

    def reset(self) -> None:
        """Forget the pages read so far, as after a change of the account or of the offline switch."""
        self._pages.clear()
        self._fits.clear()
        self._questions.close()

    def close(self) -> None:
        self._questions.close()

    def _take_results(self, event: JobReply) -> None:
        match event:
            case SearchResults(groups=groups):
                self._show_search(Found(groups))
            case RequestFailed():
                self._show_search(Trouble(event.error, event.title, event.message))

    def _take_page(self, event: JobReply) -> None:
        self._keep_page(event)
        match event:
            case ModelPage():
                self._show_page(event)
            case RequestFailed():
                self._show_page(Trouble(event.error, event.title, event.message))

    def _keep_page(self, event: JobReply) -> None:
        if isinstance(event, ModelPage):
            repository = event.variant.repository
            self._pages[repository] = event
            self._fits[repository] = fit_of_page(event, self.machine)
            self.page_read.emit(repository)

    def _show_search(self, state: SearchState) -> None:
        self.search = state
        self.search_changed.emit()

    def _show_page(self, state: PageState) -> None:
        self.page = state
        self.page_changed.emit()

    def _show_compared(self, compared: tuple[Variant, ...]) -> None:
        if compared != self.compared:
            self.compared = compared
            self.compared_changed.emit()
