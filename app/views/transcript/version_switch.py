"""The arrows between the versions of a message, with the number of the current one between them."""

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.theme import Theme
from app.views.transcript.quiet_button import QuietButton

_GAP = 2


class VersionSwitch(QWidget):
    """Shows "2/3" between two arrows. `switched` carries the step, -1 or 1."""

    switched = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._version, self._count = 1, 1
        self._previous = QuietButton(theme, "chevron-left", "Previous version", self)
        self._next = QuietButton(theme, "chevron-right", "Next version", self)
        self._previous.clicked.connect(lambda: self.switched.emit(-1))
        self._next.clicked.connect(lambda: self.switched.emit(1))
        for button in (self._previous, self._next):
            button.set_lit(is_lit=True)

    def set_version(self, version: int, count: int) -> None:
        """Show that this is version number `version` of `count`."""
        self._version, self._count = version, count
        self.update()

    def set_busy(self, *, busy: bool) -> None:
        """Enable the arrows that lead to another version, unless an answer is being written."""
        self._previous.setEnabled(not busy and self._version > 1)
        self._next.setEnabled(not busy and self._version < self._count)

    def sizeHint(self) -> QSize:
        side = self._previous.sizeHint()
        return QSize(2 * (side.width() + _GAP) + self._label_width(), side.height())

    def arrange(self) -> None:
        """Put the arrows at both ends."""
        side = self._previous.sizeHint()
        self._previous.setGeometry(QRect(0, 0, side.width(), side.height()))
        right = self.sizeHint().width() - _GAP - side.width()
        self._next.setGeometry(QRect(right, 0, side.width(), side.height()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(self._theme.palette.secondary)
        x = self._previous.geometry().right() + 1
        area = QRect(x, 0, self._next.x() - x, self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._label())

    def _label(self) -> str:
        return f"{self._version}/{self._count}"

    def _label_width(self) -> int:
        return QFontMetrics(self._theme.font("small", tabular=True)).horizontalAdvance(self._label()) + 6
