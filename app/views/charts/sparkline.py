"""A line without axes, the size of a word: how a rate went over the last seconds."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

SPAN = 60
"""Values that fill the width; fewer start at the left."""

_FEWEST = 4
"""Values that make a line; the first ones, of parts of a second, say little."""


def draw_sparkline(painter: QPainter, area: QRectF, values: Sequence[float], colour: QColor) -> None:
    """Draw the values as a line over a pale ground. The bottom is zero, so that a flat line is a steady rate."""
    points = _points(area, values[-SPAN:])
    if len(points) < _FEWEST:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground = QColor(colour)
    ground.setAlphaF(0.14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    feet = [QPointF(points[-1].x(), area.bottom()), QPointF(points[0].x(), area.bottom())]
    painter.drawPolygon(QPolygonF([*points, *feet]))
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolyline(QPolygonF(points))
    painter.restore()


def _points(area: QRectF, values: Sequence[float]) -> list[QPointF]:
    top = max(values, default=0.0) * 1.15 or 1.0
    step = area.width() / (SPAN - 1)
    return [
        QPointF(area.left() + index * step, area.bottom() - area.height() * value / top)
        for index, value in enumerate(values)
    ]
