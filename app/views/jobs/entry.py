"""A line at the foot of the sidebar with the progress of background work, which opens its page."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.kit.buttons import PaintedButton
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.theme import Theme


class JobsEntry(PaintedButton):
    """Hidden while nothing runs. `name` is for screen readers."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, name: str = "Jobs", icon: str = "jobs") -> None:
        super().__init__(theme, parent)
        self._name, self._icon = name, icon
        self._fraction = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_progress(self, text: str, fraction: float) -> None:
        """Show the text and the completed fraction, 0 to 1; without a text, hide."""
        self._fraction = fraction
        self.setText(text)
        self.setAccessibleName(f"{self._name}: {text}")
        self.setVisible(bool(text))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, QFontMetrics(self.theme.font("small")).height() + 22)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self.theme.palette, QPainter(self)
        painter.fillRect(0, 0, self.width(), 1, colors.border)
        row = self.rect().adjusted(8, 4, -8, -4)
        if self._is_lit():
            rounded(painter, QRectF(row), 7, colors.hover)
        if self.hasFocus():
            focus_ring(painter, QRectF(row), 7, colors.accent)
        side = self.theme.scaled(18)
        self._draw_icon(painter, self._icon, QPoint(row.left() + 10 + side // 2, row.center().y()), colors.secondary)
        text = QRect(row.left() + side + 18, row.top(), row.width() - side - 26, row.height() - 4)
        painter.setFont(self.theme.font("small", tabular=True))
        painter.setPen(colors.secondary)
        elided = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, elided)
        if self._fraction:
            line = QRectF(text.left(), row.bottom() - 4, text.width(), 2)
            rounded(painter, line, 1, mixed(colors.sidebar, colors.text, 0.14))
            line.setWidth(line.width() * self._fraction)
            rounded(painter, line, 1, colors.accent)
