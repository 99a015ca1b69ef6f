"""Discovery of models: the catalog, searches on the Hub, pages of repositories, and their comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.hub.catalog_items import CatalogItem, catalog_item
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

COMPARISON_LIMIT = 6


@dataclass(frozen=True, slots=True)
class Browsing:
    """No search; the page shows the catalog."""


@dataclass(frozen=True, slots=True)
class Searching:
    """A search is running."""


@dataclass(frozen=True, slots=True)
class SearchHits:
    """The results of a search; may be empty."""

    groups: tuple[ModelGroup, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The page of a repository is being read."""

    repository: str


@dataclass(frozen=True, slots=True)
class HubFailure:
    """A failed search or page; `error` is the class in `errors.py`."""

    error: str
    title: str
    message: str


SearchState = Browsing | Searching | SearchHits | HubFailure
PageState = None | Reading | ModelPage | HubFailure


class DiscoverViewModel(QObject):
    """The state of discovery. It uses the network only on the user's request.

    A `page` has priority over the `search`. `compared` are the repositories selected for comparison.
    """

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
        self._retry: Callable[[], None] = lambda: None
        self._questions = Questions(logs, self, command=command)

    @cached_property
    def machine(self) -> Machine:
        return this_machine()

    @cached_property
    def catalog(self) -> tuple[CatalogItem, ...]:
        return tuple(map(catalog_item, self._recommendations))

    @cached_property
    def _recommendations(self) -> tuple[Recommendation, ...]:
        return recommend(self.machine.memory_bytes)

    @property
    def largest_bytes(self) -> int:
        """The largest weights that fit in memory."""
        return largest_weights_bytes(self.machine)

    def fit(self, variant: Variant) -> HubFit:
        """Return how the variant fits this Mac, including its context once its page has been read."""
        return self._fits.get(variant.repository) or fit_of_variant(variant, self.machine)

    def find(self, filters: SearchFilters) -> None:
        """Search the Hub, and cancel earlier requests."""
        self._retry = lambda: self.find(filters)
        self._show_search(Searching())
        self._questions.ask(Search(new_id(), filters), self._on_results, latest_only=True)

    def browse(self) -> None:
        """Go back to the catalog."""
        self._questions.drop()
        self._show_search(Browsing())

    def open(self, repository: str) -> None:
        """Read the page of a repository, unless it has already been read."""
        self._retry = lambda: self.open(repository)
        if repository in self._pages:
            self._show_page(self._pages[repository])
            return
        self._show_page(Reading(repository))
        self._questions.ask(ReadModel(new_id(), repository), self._on_page, latest_only=True)

    def close_page(self) -> None:
        if isinstance(self.page, Reading):
            self._questions.drop()
        self._show_page(None)

    def retry(self) -> None:
        """Repeat the last request."""
        self._retry()

    def compare(self, variant: Variant, *, included: bool) -> None:
        """Add a variant to the comparison, or remove it."""
        rest = tuple(other for other in self.compared if other.repository != variant.repository)
        if included and len(rest) == COMPARISON_LIMIT:
            return
        self._show_compared((*rest, variant) if included else rest)

    def read_compared(self) -> None:
        """Read the pages of the compared variants; `page_read` is emitted for each."""
        for variant in self.compared:
            if variant.repository not in self._pages:
                self._questions.ask(ReadModel(new_id(), variant.repository), self._store_page)

    def evaluations(self, variant: Variant) -> tuple[Evaluation, ...]:
        """Return the evaluations stated on the variant's card; empty if its page has not been read."""
        page = self._pages.get(variant.repository)
        return page.evaluations if page else ()

    def clear_comparison(self) -> None:
        self._show_compared(())

    def is_compared(self, variant: Variant) -> bool:
        return any(other.repository == variant.repository for other in self.compared)

    def reset(self) -> None:
        """Discard all pages, after a change of the account or of the offline switch."""
        self._pages.clear()
        self._fits.clear()
        self._questions.close()

    def close(self) -> None:
        self._questions.close()

    def _on_results(self, event: JobReply) -> None:
        match event:
            case SearchResults(groups=groups):
                self._show_search(SearchHits(groups))
            case RequestFailed():
                self._show_search(HubFailure(event.error, event.title, event.message))

    def _on_page(self, event: JobReply) -> None:
        self._store_page(event)
        match event:
            case ModelPage():
                self._show_page(event)
            case RequestFailed():
                self._show_page(HubFailure(event.error, event.title, event.message))

    def _store_page(self, event: JobReply) -> None:
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
