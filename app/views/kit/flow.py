"""A layout of small controls that wraps into lines."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Flow(QWidget):
    """Arranges `parts` from left to right at their preferred sizes, `gap` pixels apart; its height fits the lines."""

    def __init__(self, parts: Sequence[QWidget], parent: QWidget | None = None, *, gap: int = 6) -> None:
        super().__init__(parent)
        self._parts, self._gap = parts, gap
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

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # A hidden widget gets no layout request when its parts grow.
        self._arrange()

    def sizeHint(self) -> QSize:
        lines = self._lines()
        return QSize(200, sum(map(_height, lines)) + self._gap * max(len(lines) - 1, 0))

    def _arrange(self) -> None:
        top = 0
        for line in self._lines():
            height, x = _height(line), 0
            for part in line:
                size = part.sizeHint()
                part.setGeometry(x, top + (height - size.height()) // 2, size.width(), size.height())
                x += size.width() + self._gap
            top += height + self._gap
        self.setFixedHeight(self.sizeHint().height())

    def _lines(self) -> list[list[QWidget]]:
        """Return the parts of each line."""
        lines: list[list[QWidget]] = []
        x = 0
        for part in self._parts:
            width = part.sizeHint().width()
            if not lines or (x and x + width > self.width()):
                lines.append([])
                x = 0
            lines[-1].append(part)
            x += width + self._gap
        return lines


def _height(line: Sequence[QWidget]) -> int:
    return max(part.sizeHint().height() for part in line)
