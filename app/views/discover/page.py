"""The Discover page: the catalog, searches on the Hub, and downloads."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.formatting import hub as hub_format
from app.viewmodels.hub.account import AccountViewModel
from app.viewmodels.hub.discover import Browsing, DiscoverViewModel, HubFailure, Reading, SearchHits, Searching
from app.viewmodels.hub.downloads import Downloads
from app.viewmodels.jobs.queue import Jobs
from app.views.discover.catalog_card import CatalogCard
from app.views.discover.comparison import Comparison
from app.views.discover.downloads_panel import DownloadsPanel
from app.views.discover.model_panel import ModelPanel
from app.views.discover.offline_strip import OfflineStrip
from app.views.discover.results import Results
from app.views.discover.search_bar import SearchBar
from app.views.discover.sign_in import SignInDialog
from app.views.kit.buttons import IconButton, TextButton
from app.views.kit.grid import SIDE, CardGrid, VerticalScrollArea
from app.views.kit.placeholder import Placeholder
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.transcript.links import ask_to_open
from mlx_engine.amounts import format_memory
from mlx_engine.hub_messages import ModelPage

_CARD_WIDTH = 300
_RETRY, _SIGN_IN, _BACK, _ONLINE = "Try Again", "Sign In…", "Back", "Go Online"
_ERROR_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "Offline": (_ONLINE,),
    "NeedsToken": (_SIGN_IN, _RETRY),
    "WrongToken": (_SIGN_IN, _RETRY),
    "HubNotFound": (_SIGN_IN,),
}


class DiscoverPage(QWidget):
    """Renders the view-models. The Hub is not contacted before the user asks for something."""

    chat_requested = Signal(str)  # the id of a model in the library
    quantize_requested = Signal(str)  # the id of a model in the library
    quantize_repository_requested = Signal(str)  # a repository to quantize during its download

    def __init__(
        self,
        discover: DiscoverViewModel,
        downloads: Downloads,
        jobs: Jobs,
        account: AccountViewModel,
        offline: OfflineSwitch,
        theme: Theme,
    ) -> None:
        super().__init__()
        self._discover, self._downloads, self._account = discover, downloads, account
        self._offline, self._theme = offline, theme
        self._downloads_panel = DownloadsPanel(jobs, theme, self)
        self._is_comparing = False
        self._sign_in: SignInDialog | None = None
        self.search_bar = SearchBar(discover.largest_bytes, theme)
        self._account_button = IconButton(theme, "person", "Hugging Face account")
        self._catalog = self._new_catalog()
        self._results = Results(discover, downloads, theme)
        self._panel = ModelPanel(discover, downloads, theme)
        self._comparison = Comparison(discover, downloads, theme)
        self._placeholder = Placeholder(theme)
        self._compare = TextButton(theme, "Compare")
        self._clear_comparison = IconButton(theme, "close", "Clear the selection")
        self._lay_out()
        self._connect()
        self._refresh()
        self._refresh_compared()

    def _new_catalog(self) -> VerticalScrollArea:
        scroll, theme = VerticalScrollArea(self._theme, "Catalog"), self._theme
        cards = [CatalogCard(item, self._downloads, theme) for item in self._discover.catalog]
        for card in cards:
            card.opened.connect(self._discover.open)
        grid = CardGrid(theme, _CARD_WIDTH)
        grid.show_cards(cards)
        memory = format_memory(self._discover.machine.memory_bytes)
        scroll.column.setSpacing(10)
        scroll.column.addWidget(TextLabel(theme, f"Recommended for your Mac ({memory})", role="heading"))
        scroll.column.addWidget(grid)
        scroll.column.addStretch(1)
        return scroll

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(SIDE, 14, SIDE, 6)
        top.setSpacing(8)
        top.addWidget(self.search_bar, 1)
        top.addWidget(self._account_button, 0, Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget()
        # Its size hint is that of its tallest view, which would squeeze the filters in a small window.
        self._stack.setMinimumHeight(60)
        for view in (self._catalog, self._results, self._panel, self._comparison, self._placeholder):
            self._stack.addWidget(view)
        self._tray = QWidget()
        tray = QHBoxLayout(self._tray)
        tray.setContentsMargins(SIDE, 6, SIDE, 6)
        self._selection = TextLabel(self._theme, tone="secondary")
        tray.addWidget(self._selection, 1)
        tray.addWidget(self._compare)
        tray.addWidget(self._clear_comparison)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._strip = OfflineStrip(self._offline, self._theme)
        column.addWidget(self._strip)
        column.addLayout(top)
        column.addWidget(self._stack, 1)
        column.addWidget(self._tray)
        column.addWidget(self._downloads_panel)

    def _connect(self) -> None:
        discover = self._discover
        self.search_bar.searched.connect(self._search)
        self.search_bar.cleared.connect(self._browse)
        self._account_button.clicked.connect(self.sign_in)
        self._results.opened.connect(discover.open)
        self._panel.quantize_requested.connect(self.quantize_requested)
        self._panel.download_requested.connect(self.quantize_repository_requested)
        self._panel.closed.connect(discover.close_page)
        self._comparison.closed.connect(lambda: self._set_comparing(False))
        self._compare.clicked.connect(lambda: self._set_comparing(True))
        self._clear_comparison.clicked.connect(discover.clear_comparison)
        self._placeholder.action_chosen.connect(self._run_action)
        self._downloads_panel.chat_requested.connect(self.chat_requested)
        self._downloads_panel.sign_in_requested.connect(self.sign_in)
        self._downloads_panel.page_requested.connect(
            lambda repository: ask_to_open(self, hub_format.page_url(repository))
        )
        discover.search_changed.connect(self._on_search_changed)
        discover.page_changed.connect(self._refresh)
        discover.compared_changed.connect(self._refresh_compared)
        self._account.signed_in.connect(self._on_signed_in)

    def sign_in(self) -> None:
        if self._sign_in is None:
            self._sign_in = SignInDialog(self._account, self._theme, self)
        self._sign_in.show_account()

    def search_for(self, text: str) -> None:
        """Search for `text` as if the user had entered it."""
        self.search_bar.field.setText(text)
        self.search_bar.search()

    def _search(self, filters: object) -> None:
        self._close_views()
        self._discover.find(filters)  # type: ignore[arg-type]  # a signal carries objects

    def _browse(self) -> None:
        self._close_views()
        self._discover.browse()

    def _close_views(self) -> None:
        self._is_comparing = False
        self._discover.close_page()

    def _on_signed_in(self) -> None:
        self._discover.reset()
        self._downloads.retry_refused()
        if isinstance(self._discover.page, HubFailure):
            self._discover.retry()

    def _run_action(self, action: str) -> None:
        if action == _SIGN_IN:
            self.sign_in()
        elif action == _BACK:
            self._discover.close_page()
        elif action == _ONLINE:
            self._offline.turn(on=False)
            self._discover.retry()
        else:
            self._discover.retry()

    def _on_search_changed(self) -> None:
        if isinstance(self._discover.search, SearchHits):
            self._results.show_groups(self._discover.search.groups)
        self._refresh()

    def _refresh(self) -> None:
        """Show the open page, or else the comparison, or else the search."""
        match self._discover.page:
            case ModelPage() as page:
                self._panel.show_page(page)
                self._stack.setCurrentWidget(self._panel)
            case Reading(repository):
                self._show_message(f"Loading {repository}…", is_waiting=True, actions=(_BACK,))
            case HubFailure() as failure:
                self._show_failure(failure, (_BACK,))
            case _:
                self._refresh_search()

    def _refresh_search(self) -> None:
        if self._is_comparing:
            self._stack.setCurrentWidget(self._comparison)
            return
        match self._discover.search:
            case Searching():
                self._show_message("Searching the Hub…", is_waiting=True)
            case HubFailure() as failure:
                self._show_failure(failure, ())
            case SearchHits(groups=()):
                self._show_message("No models found", "Try fewer words or remove a filter.", icon="search")
            case SearchHits():
                self._stack.setCurrentWidget(self._results)
            case Browsing():
                self._stack.setCurrentWidget(self._catalog)

    def _show_message(
        self, title: str, sentence: str = "", *, icon: str = "", is_waiting: bool = False, actions: tuple[str, ...] = ()
    ) -> None:
        self._placeholder.show_message(title, sentence, icon=icon, is_waiting=is_waiting, actions=actions)
        self._stack.setCurrentWidget(self._placeholder)

    def _show_failure(self, failure: HubFailure, more: tuple[str, ...]) -> None:
        actions = (*_ERROR_ACTIONS.get(failure.error, (_RETRY,)), *more)
        if self._offline.is_forced:
            actions = tuple(action for action in actions if action != _ONLINE)
        self._strip.refresh()
        icon = "offline" if failure.error in ("NoNetwork", "Offline") else "warning"
        self._show_message(failure.title, failure.message, icon=icon, actions=actions)

    def _refresh_compared(self) -> None:
        count = len(self._discover.compared)
        self._tray.setVisible(count > 0)
        self._selection.setText(f"{count} models selected" if count > 1 else "Select another model to compare")
        self._compare.setEnabled(count > 1)
        if self._is_comparing:
            self._set_comparing(count > 1)

    def _set_comparing(self, is_comparing: bool) -> None:
        self._is_comparing = is_comparing
        if is_comparing:
            self._comparison.show_variants()
            self._discover.read_compared()
        self._refresh()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, colors = QPainter(self), self._theme.palette
        painter.fillRect(self.rect(), colors.window)
        if not self._tray.isHidden():
            painter.fillRect(0, self._tray.y(), self.width(), 1, colors.border)
