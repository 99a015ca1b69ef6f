"""Placeholder for the cards while the model is read."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.grid import SIDE
from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_CARD = (270, 130)


class Skeleton(QWidget):
    """A line of text and the outlines of cards, without animation."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.label = TextLabel(theme, "Reading the model's layers…", tone="secondary", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 12, SIDE, SIDE)
        column.addWidget(self.label, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, colours = QPainter(self), self._theme.palette
        wide, high = (self._theme.scaled(side) for side in _CARD)
        columns = max(1, (self.width() - 2 * SIDE + 12) // (wide + 12))
        width = (self.width() - 2 * SIDE - 12 * (columns - 1)) / columns
        ground, bar = mixed(colours.window, colours.text, 0.035), mixed(colours.window, colours.text, 0.08)
        top = self.label.geometry().bottom() + 14
        for number in range(columns * 2):
            left_edge = SIDE + (number % columns) * (width + 12)
            card = QRectF(left_edge, top + (number // columns) * (high + 12), width, high)
            rounded(painter, card, 12, ground)
            for line, share in enumerate((0.4, 0.75, 0.55)):
                rounded(painter, QRectF(left_edge + 16, card.top() + 18 + line * 30, (width - 32) * share, 10), 5, bar)
