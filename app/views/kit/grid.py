"""A scrolling page, and a grid of cards whose columns depend on its width."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.views.kit.theme import Theme

SIDE = 20
"""Margin of the page, in pixels."""


class VerticalScrollArea(QScrollArea):
    """Scrolls vertically. Content goes into the layout `column`."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, widgetResizable=True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(name)
        self.inside = QWidget()
        self.column = QVBoxLayout(self.inside)
        self.column.setContentsMargins(SIDE, 12, SIDE, SIDE)
        self.setWidget(self.inside)
        theme.thin_scroll_bars(self)
        for transparent in (self.viewport(), self.inside):
            transparent.setAutoFillBackground(False)


class CardGrid(QWidget):
    """A grid with as many columns as fit; a card is at least `width` pixels wide at 100 % text size."""

    def __init__(self, theme: Theme, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._width = theme, width
        self._cards: Sequence[QWidget] = ()
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        theme.changed.connect(self._arrange)

    def show_cards(self, cards: Sequence[QWidget]) -> None:
        self._cards, self._columns = cards, 0
        self._arrange()

    def _arrange(self) -> None:
        columns = max(1, (self.width() + 12) // (self._theme.scaled(self._width) + 12))
        if columns == self._columns:
            return
        for column in range(self._columns):
            self._grid.setColumnStretch(column, 0)
        self._columns = columns
        for index, card in enumerate(self._cards):
            self._grid.addWidget(card, index // columns, index % columns)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
