"""A small card with all figures of a model, beside its mark in a chart."""

import math

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodels.lab.chart_card import ChartCard
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme

_PADDING = 10
_GAP = 16
"""Between the names of figures and the figures."""
_AWAY = 10
"""From the mark."""


class FigureCard(QWidget):
    """Stays within the window of `chart`, and lets the mouse through."""

    def __init__(self, theme: Theme, chart: QWidget) -> None:
        super().__init__(chart)
        self._theme, self._chart = theme, chart
        chart.destroyed.connect(self.deleteLater)
        self.shown = ChartCard("", ())
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_beside(self, card: ChartCard, brief: ChartCard, mark: QRectF) -> None:
        """Show `card` where it does not cover `mark`, a place in the chart; where it has no room, `brief`."""
        window = self._chart.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        mark = mark.translated(QPointF(self._chart.mapTo(window, QPoint(0, 0))))
        for shown in (card, brief):
            self.shown = shown
            if place := self._place(mark):
                break
        else:
            place = QRectF(QPointF(2, 2), self._size())
        self.setGeometry(place.toAlignedRect())
        self.raise_()
        self.show()
        self.update()

    def _place(self, mark: QRectF) -> QRectF | None:
        """Return the first place beside, below or above `mark` that is within the window."""
        size, room = self._size(), QRectF(self._chart.window().rect()).adjusted(2, 2, -2, -2)
        width, height = size.width(), size.height()
        left = max(min(mark.center().x() - width / 2, room.right() - width), room.left())
        top = max(min(mark.center().y() - height / 3, room.bottom() - height), room.top())
        places = (
            QPointF(mark.right() + _AWAY, top),
            QPointF(mark.left() - _AWAY - width, top),
            QPointF(left, mark.bottom() + _AWAY),
            QPointF(left, mark.top() - _AWAY - height),
        )
        return next((area for place in places if room.contains(area := QRectF(place, size))), None)

    def _metrics(self, *, bold: bool = False) -> QFontMetricsF:
        return QFontMetricsF(self._theme.font("small", tabular=True, bold=bold))

    def _size(self) -> QSizeF:
        """Return the size in whole pixels."""
        metrics = self._metrics()
        names = max((metrics.horizontalAdvance(name) for name, _ in self.shown.lines), default=0.0)
        figures = max((metrics.horizontalAdvance(figure) for _, figure in self.shown.lines), default=0.0)
        title = self._metrics(bold=True).horizontalAdvance(self.shown.title)
        limit = self._chart.window().width() - 2 * _PADDING - 4
        width = max(names + _GAP + figures, min(title, limit))
        height = self._line() * (1 + len(self.shown.lines)) + self._verdict(width).height()
        return QSizeF(math.ceil(width) + 2 * _PADDING, math.ceil(height) + 2 * _PADDING)

    def _line(self) -> float:
        return self._metrics().height() * 1.15

    def _verdict(self, width: float) -> QRectF:
        """Return the room that the verdict takes, at the origin."""
        if not self.shown.sentences:
            return QRectF()
        room = QRectF(0, 0, width, 10_000)
        found = self._metrics().boundingRect(room, Qt.TextFlag.TextWordWrap, self.shown.sentences)
        return QRectF(0, 0, width, found.height() + 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self._theme.palette, QPainter(self)
        rounded(painter, QRectF(self.rect()), 8, colours.surface, colours.border)
        inside = QRectF(self.rect()).adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        line = QRectF(inside.topLeft(), QSizeF(inside.width(), self._line()))
        painter.setFont(self._theme.font("small", tabular=True, bold=True))
        painter.setPen(colours.text)
        title = painter.fontMetrics().elidedText(
            self.shown.title, Qt.TextElideMode.ElideMiddle, int(inside.width()) + 1
        )
        painter.drawText(line, title)
        painter.setFont(self._theme.font("small", tabular=True))
        for name, figure in self.shown.lines:
            line.translate(0, self._line())
            painter.setPen(colours.secondary)
            painter.drawText(line, name)
            painter.setPen(colours.text)
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, figure)
        below = QRectF(inside.left(), line.bottom() + 4, inside.width(), inside.bottom() - line.bottom())
        painter.drawText(below, Qt.TextFlag.TextWordWrap, self.shown.sentences)
