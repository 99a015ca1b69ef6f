"""Color scale of bits per weight, the same in light and dark mode."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, qGray

from app.views.kit.theme import Theme

# From light for few bits to dark for many, in hues that are distinguishable with color blindness.
_SCALE: Sequence[tuple[float, QColor]] = (
    (2, QColor("#f3d64e")),
    (3, QColor("#b3d25c")),
    (4, QColor("#5fbf8c")),
    (5, QColor("#2fa3a0")),
    (6, QColor("#2f86b6")),
    (8, QColor("#4459a8")),
    (16, QColor("#5c3d8c")),
    (32, QColor("#3d2a5c")),
)
_HATCH = 5
"""Pixels between hatch lines."""


def bit_color(bits: float) -> QColor:
    """Return the color of the nearest number of bits on the scale."""
    return min(_SCALE, key=lambda step: abs(step[0] - bits))[1]


def text_color_on(fill: QColor) -> QColor:
    """Return a color for legible text on `fill`."""
    return QColor("#1d1d1f") if qGray(fill.rgb()) > 120 else QColor("#ffffff")


def hatch(painter: QPainter, area: QRectF, color: QColor) -> None:
    """Paint diagonal lines, for matrices outside the scale."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 1))
    x = area.left() - area.height()
    while x < area.right():
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x + area.height(), area.top()))
        x += _HATCH
    painter.restore()


def swatch(painter: QPainter, theme: Theme, area: QRectF, color: QColor) -> float:
    """Paint a swatch on the left of `area`, vertically centered, and return its right edge."""
    side = theme.scaled(9)
    painter.fillRect(QRectF(area.left(), area.top() + (area.height() - side) / 2, side, side), color)
    return area.left() + side
