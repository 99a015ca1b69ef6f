"""A page that scrolls, and cards on it side by side where there is room."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.views.kit.theme import Theme

SIDE = 20
"""Pixels between what is on the page and its edges."""


class VerticalScrollArea(QScrollArea):
    """Scrolls downwards only. `column` is what to add to."""

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
        for see_through in (self.viewport(), self.inside):
            see_through.setAutoFillBackground(False)


class CardGrid(QWidget):
    """As many columns as have room for `width` pixels at 100 % text size."""

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
        for place, card in enumerate(self._cards):
            self._grid.addWidget(card, place // columns, place % columns)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
