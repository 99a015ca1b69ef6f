"""A line of text to edit, in a frame of our own."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit

from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme


class LineField(QLineEdit):
    """`name` tells screen readers what it is."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setFrame(False)
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, False)
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        self.setFont(self._theme.font("label"))
        self.setTextMargins(8, 0, 8, 0)
        self.setFixedHeight(QFontMetrics(self.font()).height() + 10)
        palette = self.palette()
        palette.setColor(palette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(palette.ColorRole.Text, self._theme.palette.text)
        self.setPalette(palette)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours, painter, area = self._theme.palette, QPainter(self), QRectF(self.rect())
        rounded(painter, area, 7, colours.surface, colours.border)
        if self.hasFocus():
            focus_ring(painter, area, 7, colours.accent)
        painter.end()
        super().paintEvent(event)
