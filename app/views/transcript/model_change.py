"""The line that marks a change of model in a conversation."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.theme import Theme


class ModelChange(QWidget):
    """Shows the name of the new model between two lines."""

    def __init__(self, theme: Theme, model: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = f"{model} from here"
        self.setAccessibleName(self._text)

    def restyle(self) -> None:
        self.update()

    def height_for(self, _width: int) -> int:
        return self._theme.scaled(28)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        painter = QPainter(self)
        painter.setFont(self._theme.font("small"))
        metrics = painter.fontMetrics()
        text = metrics.elidedText(self._text, Qt.TextElideMode.ElideMiddle, self.width() - 40)
        half = metrics.horizontalAdvance(text) // 2 + 14
        middle, y = self.width() // 2, self.height() // 2
        painter.setPen(colors.border)
        painter.drawLine(0, y, middle - half, y)
        painter.drawLine(middle + half, y, self.width(), y)
        painter.setPen(colors.secondary)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
