"""The floating button for a conversation whose end is off the screen."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.buttons import IconButton
from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.theme import Theme

_TEXT = "Jump to Latest"


class JumpButton(IconButton):
    """An arrow and a label on a pill."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "arrow-down", _TEXT, parent)
        self._parent = parent
        self.hide()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        return QSize(metrics.horizontalAdvance(_TEXT) + self.theme.scaled(14) + 40, metrics.height() + 16)

    def place(self) -> None:
        """Move to the center of the bottom edge of the parent."""
        size, available = self.sizeHint(), self._parent.size()
        corner = QPoint((available.width() - size.width()) // 2, available.height() - size.height() - 12)
        self.setGeometry(QRect(corner, size))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self.theme.palette
        painter = QPainter(self)
        area = QRectF(self.rect())
        radius = area.height() / 2
        is_lit = self.isDown() or self.underMouse()
        rounded(painter, area, radius, mixed(colors.surface, colors.text, 0.06 if is_lit else 0.0), colors.border)
        if self.hasFocus():
            focus_ring(painter, area, radius, colors.accent)
        side = self.theme.scaled(14)
        arrow = pixmap("arrow-down", side=side, scale=self.devicePixelRatioF(), color=colors.text)
        painter.drawPixmap(14, (self.height() - side) // 2, arrow)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colors.text)
        painter.drawText(self.rect().adjusted(14 + side + 8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, _TEXT)
