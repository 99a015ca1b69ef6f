"""The card of a model in the catalog: its purpose, its size, and its suitability for this Mac."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.hub.catalog_items import CatalogItem
from app.viewmodels.hub.downloads import Downloads
from app.views.discover.download_button import DownloadButton
from app.views.kit.controls import Badge, SmallButton
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel, Tone
from app.views.kit.theme import Theme


class CatalogCard(QWidget):
    """A card with buttons for details and the download."""

    opened = Signal(str)  # the repository

    def __init__(self, item: CatalogItem, downloads: Downloads, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._item = theme, item
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(item.name)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(6)
        column.addLayout(self._heading())
        column.addWidget(TextLabel(theme, item.purpose, tone="secondary", wraps=True))
        column.addStretch(1)
        column.addWidget(TextLabel(theme, item.facts, role="small", tone="secondary", wraps=True))
        column.addLayout(self._foot(downloads))
        theme.changed.connect(self.update)

    @property
    def _is_first(self) -> bool:
        return self._item.suitability == "first choice"

    def _heading(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(TextLabel(self._theme, self._item.name, role="heading"), 1)
        row.addWidget(Badge(self._theme, self._item.parameters), 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    def _foot(self, downloads: Downloads) -> QHBoxLayout:
        item, theme = self._item, self._theme
        row = QHBoxLayout()
        row.setSpacing(8)
        tone: Tone = "tertiary" if item.suitability == "too large" else "success"
        row.addWidget(TextLabel(theme, item.verdict, tone=tone, bold=self._is_first), 1)
        details = SmallButton(theme, "Details", f"Details: {item.name}")
        details.setToolTip("Load the model's page from the Hub")
        details.clicked.connect(lambda: self.opened.emit(item.repository))
        row.addWidget(details)
        row.addWidget(DownloadButton(item.repository, downloads, theme, quiet=not self._is_first))
        return row

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, first = self._theme.palette, self._is_first
        fill = mixed(colors.surface, colors.accent, 0.05) if first else colors.surface
        rounded(QPainter(self), QRectF(self.rect()), 12, fill, colors.accent if first else colors.border)
