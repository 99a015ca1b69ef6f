"""A small line chart without axes, for a rate over the last seconds."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

SPAN = 60
"""Values across the full width; fewer start on the left."""

_MIN_VALUES = 4
"""Fewest values for a line; the first ones cover only parts of a second."""


def draw_sparkline(painter: QPainter, area: QRectF, values: Sequence[float], color: QColor) -> None:
    """Paint the values as a line above a tinted area. The bottom is zero, so a flat line is a steady rate."""
    points = _points(area, values[-SPAN:])
    if len(points) < _MIN_VALUES:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    fill = QColor(color)
    fill.setAlphaF(0.14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    bottom = [QPointF(points[-1].x(), area.bottom()), QPointF(points[0].x(), area.bottom())]
    painter.drawPolygon(QPolygonF([*points, *bottom]))
    painter.setPen(QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPolyline(QPolygonF(points))
    painter.restore()


def _points(area: QRectF, values: Sequence[float]) -> list[QPointF]:
    top = max(values, default=0.0) * 1.15 or 1.0
    step = area.width() / (SPAN - 1)
    return [
        QPointF(area.left() + index * step, area.bottom() - area.height() * value / top)
        for index, value in enumerate(values)
    ]
