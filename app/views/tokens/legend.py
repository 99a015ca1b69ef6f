"""What the tints mean, and the mark below a token."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.kit.theme import Theme
from app.views.tokens.scale import LEAST, MARKS, MOST, KlScale, share

_WIDTH, _BAR, _GAP = 132, 9, 16
_UNIT = "KL in nats"
_BEFORE, _DIFFERS, _FIRST = "not scored", "first choice differs", "the first of them"


class Legend(QWidget):
    """A bar of the scale with its values below, and the marks with their words."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(
            f"Tinted by KL divergence, {LEAST} to {MOST:g} nats; underlined where the first choice differs"
        )
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        marks = sum(metrics.horizontalAdvance(words) + _GAP + self._theme.scaled(14) for words in (_DIFFERS, _FIRST))
        width = metrics.horizontalAdvance(f"{_UNIT}  ") + self._theme.scaled(_WIDTH) + metrics.horizontalAdvance(" 3")
        return QSize(width + marks + metrics.horizontalAdvance(_BEFORE) + 2 * _GAP, 2 * metrics.height() + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self._theme.palette, QPainter(self)
        painter.setFont(self._theme.font("small", tabular=True))
        metrics = painter.fontMetrics()
        line = metrics.height()
        painter.setPen(colours.secondary)
        painter.drawText(QPointF(0, metrics.ascent()), _UNIT)
        bar = QRectF(
            metrics.horizontalAdvance(f"{_UNIT}  "),
            (line - _BAR) / 2,
            self._theme.scaled(_WIDTH),
            self._theme.scaled(_BAR),
        )
        self._paint_scale(painter, bar, line)
        left = self._paint_words(
            painter, bar.right() + metrics.horizontalAdvance(" 3") + _GAP, _DIFFERS, is_first=False
        )
        left = self._paint_words(painter, left + _GAP, _FIRST, is_first=True)
        painter.setPen(colours.secondary)
        painter.drawText(QPointF(left + _GAP, metrics.ascent()), _BEFORE)

    def _paint_scale(self, painter: QPainter, bar: QRectF, line: int) -> None:
        scale, steps = KlScale.of(self._theme), max(int(bar.width()), 1)
        for step in range(steps):
            painter.fillRect(QRectF(bar.left() + step, bar.top(), 1.5, bar.height()), scale.at(step / steps))
        painter.setPen(self._theme.palette.secondary)
        for mark in (*MARKS, MOST):
            words, x = f"{mark:g}", bar.left() + share(mark) * bar.width()
            width = painter.fontMetrics().horizontalAdvance(words)
            place = QRectF(x - width / 2 - 2, line + 1, width + 4, line)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_words(self, painter: QPainter, left: float, words: str, *, is_first: bool) -> float:
        """Draw a mark and what it means; return where they end."""
        colours, metrics = self._theme.palette, painter.fontMetrics()
        side = self._theme.scaled(7)
        if is_first:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.danger)
            top = QPointF(left, (metrics.height() - side) / 2)
            painter.drawPolygon([top, top + QPointF(side, 0), top + QPointF(0, side)])
            left += side + 5
        painter.setPen(colours.secondary)
        painter.drawText(QPointF(left, metrics.ascent()), words)
        end = left + metrics.horizontalAdvance(words)
        if not is_first:
            painter.fillRect(QRectF(left, metrics.height() - 1, end - left, 2), colours.danger)
        return end
