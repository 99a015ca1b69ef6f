"""A line to search with, in a frame of our own with a magnifying glass."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme


class SearchField(QLineEdit):
    """Escape empties it; the arrow down leads on to what was found."""

    left_downwards = Signal()

    def __init__(self, theme: Theme, words: str, name: str, parent: QWidget | None = None) -> None:
        """`words` stand in it while it is empty, `name` is for screen readers."""
        super().__init__(parent)
        self._theme = theme
        self.setFrame(False)
        self.setPlaceholderText(words)
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, False)
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self.setFont(self._theme.font("label"))
        self.setTextMargins(self._theme.scaled(16) + 18, 0, 8, 0)
        self.setFixedHeight(QFontMetrics(self.font()).height() + 14)
        palette = self.palette()
        palette.setColor(palette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(palette.ColorRole.Text, self._theme.palette.text)
        palette.setColor(palette.ColorRole.PlaceholderText, self._theme.palette.tertiary)
        self.setPalette(palette)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.left_downwards.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours, painter, area = self._theme.palette, QPainter(self), QRectF(self.rect())
        rounded(painter, area, 9, colours.surface, colours.border)
        if self.hasFocus():
            focus_ring(painter, area, 9, colours.accent)
        side = self._theme.scaled(16)
        glass = pixmap("search", side=side, scale=self.devicePixelRatioF(), colour=colours.tertiary)
        painter.drawPixmap(10, (self.height() - side) // 2, glass)
        painter.end()
        super().paintEvent(event)
