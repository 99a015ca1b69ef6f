"""The search field and filters for the Hub. A search starts with Return or the button."""

from collections.abc import Mapping
from typing import cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.formatting.hub import LICENSES
from app.views.kit.buttons import IconButton
from app.views.kit.chips import Chip, ChoiceChip
from app.views.kit.controls import FilledButton
from app.views.kit.fields.text_field import SearchField
from app.views.kit.flow import Flow
from app.views.kit.theme import Theme
from mlx_engine.hub_messages import SearchFilters, SearchOrder

_CLASSES: Mapping[str, tuple[str, ...]] = {
    "Any size": (),
    "Micro, up to 1.4B": ("micro",),
    "Small, 1.5B to 13.9B": ("small",),
    "Medium, 14B to 30B": ("medium",),
    "Large, above 30B": ("large",),
}
_LICENSES: Mapping[str, str] = {"Any license": "", **{title: name for name, title in LICENSES.items()}}
_ACCESS: Mapping[str, bool | None] = {"Any access": None, "Not gated": False, "Gated": True}
_ORDERS: Mapping[str, SearchOrder] = {"Most downloaded": "downloads", "Most liked": "likes", "Recent": "recent"}


class SearchBar(QWidget):
    """Emits `searched` for a search, and `cleared` when the user returns to the catalog."""

    searched = Signal(object)  # SearchFilters
    cleared = Signal()

    def __init__(self, largest_bytes: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._largest_bytes = largest_bytes
        self._has_searched = False
        self.field = SearchField(theme, "Search the Hugging Face Hub", "Search the Hugging Face Hub")
        self._clear = IconButton(theme, "close", "Back to the catalog")
        self._button = FilledButton(theme, "Search")
        self._only_mlx = Chip(theme, "MLX only")
        self._only_mlx.setToolTip("Show only models that are ready to run. Others need conversion first.")
        self._only_mlx.setChecked(True)
        self._fits = Chip(theme, "Fits this Mac")
        self._fits.setToolTip("Show only models whose weights fit in memory. A model's page also includes its context.")
        self._size = ChoiceChip(theme, "Size", _CLASSES, parent=self)
        self._license = ChoiceChip(theme, "License", _LICENSES, parent=self)
        self._access = ChoiceChip(theme, "Access", _ACCESS, parent=self)
        self._order = ChoiceChip(theme, "Order", _ORDERS, is_order=True, parent=self)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self._clear)
        row.addWidget(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        chips = (self._only_mlx, self._fits, self._size, self._license, self._access, self._order)
        column.addWidget(Flow(chips, self))
        self._clear.hide()

    def _connect(self) -> None:
        self.field.returnPressed.connect(self.search)
        self._button.clicked.connect(self.search)
        self._clear.clicked.connect(self.clear)
        for chip in (self._only_mlx, self._fits):
            chip.toggled.connect(self._on_filter_changed)
        for choice in (self._size, self._license, self._access, self._order):
            choice.value_changed.connect(self._on_filter_changed)

    @property
    def filters(self) -> SearchFilters:
        return SearchFilters(
            text=self.field.text(),
            only_mlx=self._only_mlx.isChecked(),
            size_classes=cast("tuple[str, ...]", self._size.value),
            largest_bytes=self._largest_bytes if self._fits.isChecked() else 0,
            license=cast("str", self._license.value),
            gated=cast("bool | None", self._access.value),
            order=cast("SearchOrder", self._order.value),
        )

    def search(self) -> None:
        self._has_searched = True
        self._clear.show()
        self.searched.emit(self.filters)

    def clear(self) -> None:
        """Clear the search and return to the catalog."""
        self._has_searched = False
        self.field.clear()
        self._clear.hide()
        self.cleared.emit()

    def _on_filter_changed(self) -> None:
        if self._has_searched:
            self.search()
