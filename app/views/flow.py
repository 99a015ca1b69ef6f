"""Small controls side by side, over as many lines as they need."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_GAP = 6


class Flow(QWidget):
    """Lays its `parts` out by their size hints; it is as high as that takes."""

    def __init__(self, parts: Sequence[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        for part in parts:
            part.setParent(self)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def _arrange(self) -> None:
        x = y = line = 0
        for part in self._parts:
            size = part.sizeHint()
            if x and x + size.width() > self.width():
                x, y, line = 0, y + line + _GAP, 0
            part.setGeometry(x, y, size.width(), size.height())
            x, line = x + size.width() + _GAP, max(line, size.height())
        self.setFixedHeight(y + line)
