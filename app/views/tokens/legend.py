"""The legend of tints and marks."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.kit.theme import Theme
from app.views.tokens.scale import MARKS, MAX_KL, MIN_KL, KlScale, share

_WIDTH, _BAR, _GAP = 132, 9, 16
_UNIT = "KL in nats"
_BEFORE, _DIFFERS, _FIRST = "not scored", "first choice differs", "first flip"


class TokenLegend(QWidget):
    """A bar of the scale with values below it, and the marks with labels."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(
            f"Tinted by KL divergence, {MIN_KL} to {MAX_KL:g} nats; underlined where the first choice differs"
        )
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        marks = sum(metrics.horizontalAdvance(label) + _GAP + self._theme.scaled(14) for label in (_DIFFERS, _FIRST))
        width = metrics.horizontalAdvance(f"{_UNIT}  ") + self._theme.scaled(_WIDTH) + metrics.horizontalAdvance(" 3")
        return QSize(width + marks + metrics.horizontalAdvance(_BEFORE) + 2 * _GAP, 2 * metrics.height() + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.setFont(self._theme.font("small", tabular=True))
        metrics = painter.fontMetrics()
        line = metrics.height()
        painter.setPen(colors.secondary)
        painter.drawText(QPointF(0, metrics.ascent()), _UNIT)
        bar = QRectF(
            metrics.horizontalAdvance(f"{_UNIT}  "),
            (line - _BAR) / 2,
            self._theme.scaled(_WIDTH),
            self._theme.scaled(_BAR),
        )
        self._paint_scale(painter, bar, line)
        x = self._paint_mark(painter, bar.right() + metrics.horizontalAdvance(" 3") + _GAP, _DIFFERS, is_first=False)
        x = self._paint_mark(painter, x + _GAP, _FIRST, is_first=True)
        painter.setPen(colors.secondary)
        painter.drawText(QPointF(x + _GAP, metrics.ascent()), _BEFORE)

    def _paint_scale(self, painter: QPainter, bar: QRectF, line: int) -> None:
        scale, steps = KlScale.of(self._theme), max(int(bar.width()), 1)
        for step in range(steps):
            painter.fillRect(QRectF(bar.left() + step, bar.top(), 1.5, bar.height()), scale.at(step / steps))
        painter.setPen(self._theme.palette.secondary)
        for mark in (*MARKS, MAX_KL):
            label, x = f"{mark:g}", bar.left() + share(mark) * bar.width()
            width = painter.fontMetrics().horizontalAdvance(label)
            area = QRectF(x - width / 2 - 2, line + 1, width + 4, line)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, label)

    def _paint_mark(self, painter: QPainter, x: float, label: str, *, is_first: bool) -> float:
        """Paint a mark and its label, and return their right edge."""
        colors, metrics = self._theme.palette, painter.fontMetrics()
        side = self._theme.scaled(7)
        if is_first:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.danger)
            top = QPointF(x, (metrics.height() - side) / 2)
            painter.drawPolygon([top, top + QPointF(side, 0), top + QPointF(0, side)])
            x += side + 5
        painter.setPen(colors.secondary)
        painter.drawText(QPointF(x, metrics.ascent()), label)
        end = x + metrics.horizontalAdvance(label)
        if not is_first:
            painter.fillRect(QRectF(x, metrics.height() - 1, end - x, 2), colors.danger)
        return end
