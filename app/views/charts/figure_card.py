"""A card with all figures of a model, near its mark in a chart."""

import math

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodels.lab.chart_card import ChartCard
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme

_PADDING = 10
_GAP = 16
"""Pixels between names and figures."""
_DISTANCE = 10
"""Pixels between card and mark."""


class FigureCard(QWidget):
    """Stays within the window of `chart`, and ignores the mouse."""

    def __init__(self, theme: Theme, chart: QWidget) -> None:
        super().__init__(chart)
        self._theme, self._chart = theme, chart
        chart.destroyed.connect(self.deleteLater)
        self.card = ChartCard("", ())
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_near(self, card: ChartCard, brief: ChartCard, mark: QRectF) -> None:
        """Show `card` without covering `mark`, a rectangle in the chart; show `brief` if the space is too small."""
        window = self._chart.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        mark = mark.translated(QPointF(self._chart.mapTo(window, QPoint(0, 0))))
        for candidate in (card, brief):
            self.card = candidate
            if position := self._place(mark):
                break
        else:
            position = QRectF(QPointF(2, 2), self._size())
        self.setGeometry(position.toAlignedRect())
        self.raise_()
        self.show()
        self.update()

    def _place(self, mark: QRectF) -> QRectF | None:
        """Return the first area next to, below or above `mark` that fits in the window."""
        size, bounds = self._size(), QRectF(self._chart.window().rect()).adjusted(2, 2, -2, -2)
        width, height = size.width(), size.height()
        left_edge = max(min(mark.center().x() - width / 2, bounds.right() - width), bounds.left())
        top = max(min(mark.center().y() - height / 3, bounds.bottom() - height), bounds.top())
        positions = (
            QPointF(mark.right() + _DISTANCE, top),
            QPointF(mark.left() - _DISTANCE - width, top),
            QPointF(left_edge, mark.bottom() + _DISTANCE),
            QPointF(left_edge, mark.top() - _DISTANCE - height),
        )
        return next((area for position in positions if bounds.contains(area := QRectF(position, size))), None)

    def _metrics(self, *, bold: bool = False) -> QFontMetricsF:
        return QFontMetricsF(self._theme.font("small", tabular=True, bold=bold))

    def _size(self) -> QSizeF:
        """Return the size in whole pixels."""
        metrics = self._metrics()
        names = max((metrics.horizontalAdvance(name) for name, _ in self.card.lines), default=0.0)
        figures = max((metrics.horizontalAdvance(figure) for _, figure in self.card.lines), default=0.0)
        title = self._metrics(bold=True).horizontalAdvance(self.card.title)
        limit = self._chart.window().width() - 2 * _PADDING - 4
        width = max(names + _GAP + figures, min(title, limit))
        height = self._line_height() * (1 + len(self.card.lines)) + self._sentences_area(width).height()
        return QSizeF(math.ceil(width) + 2 * _PADDING, math.ceil(height) + 2 * _PADDING)

    def _line_height(self) -> float:
        return self._metrics().height() * 1.15

    def _sentences_area(self, width: float) -> QRectF:
        """Return the area of the sentences, at the origin."""
        if not self.card.sentences:
            return QRectF()
        column = QRectF(0, 0, width, 10_000)
        bounds = self._metrics().boundingRect(column, Qt.TextFlag.TextWordWrap, self.card.sentences)
        return QRectF(0, 0, width, bounds.height() + 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        rounded(painter, QRectF(self.rect()), 8, colors.surface, colors.border)
        inside = QRectF(self.rect()).adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        line = QRectF(inside.topLeft(), QSizeF(inside.width(), self._line_height()))
        painter.setFont(self._theme.font("small", tabular=True, bold=True))
        painter.setPen(colors.text)
        title = painter.fontMetrics().elidedText(self.card.title, Qt.TextElideMode.ElideMiddle, int(inside.width()) + 1)
        painter.drawText(line, title)
        painter.setFont(self._theme.font("small", tabular=True))
        for name, figure in self.card.lines:
            line.translate(0, self._line_height())
            painter.setPen(colors.secondary)
            painter.drawText(line, name)
            painter.setPen(colors.text)
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, figure)
        below = QRectF(inside.left(), line.bottom() + 4, inside.width(), inside.bottom() - line.bottom())
        painter.drawText(below, Qt.TextFlag.TextWordWrap, self.card.sentences)
