"""The colours that stand for bits, the same in both appearances, as in a printed map."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, qGray

from app.views.kit.theme import Theme

# From light for few bits to dark for many, in hues that people who see few colours tell apart too.
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
"""Pixels between the lines."""


def colour_of(bits: float) -> QColor:
    """Return the colour of the number on the scale that is nearest."""
    return min(_SCALE, key=lambda step: abs(step[0] - bits))[1]


def colour_on(fill: QColor) -> QColor:
    """Return a colour in which text is read on `fill`."""
    return QColor("#1d1d1f") if qGray(fill.rgb()) > 120 else QColor("#ffffff")


def hatch(painter: QPainter, area: QRectF, colour: QColor) -> None:
    """Draw lines across: here is something that has no colour of the scale."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1))
    left = area.left() - area.height()
    while left < area.right():
        painter.drawLine(QPointF(left, area.bottom()), QPointF(left + area.height(), area.top()))
        left += _HATCH
    painter.restore()


def swatch(painter: QPainter, theme: Theme, area: QRectF, colour: QColor) -> float:
    """Draw a patch at the left of `area`, in its middle; return where it ends."""
    side = theme.scaled(9)
    painter.fillRect(QRectF(area.left(), area.top() + (area.height() - side) / 2, side, side), colour)
    return area.left() + side
