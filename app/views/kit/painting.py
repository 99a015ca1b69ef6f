"""Shapes and colors that painted widgets share."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

RING = 2.0
"""Width of the focus ring, in pixels."""


def rounded(painter: QPainter, rect: QRectF, radius: float, fill: QColor | None, border: QColor | None = None) -> None:
    """Draw a rounded rectangle; the border is one pixel wide, inside `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(border, 1) if border else Qt.PenStyle.NoPen)
    painter.setBrush(fill or Qt.BrushStyle.NoBrush)
    inset = 0.5 if border else 0
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), radius, radius)


def focus_ring(painter: QPainter, rect: QRectF, radius: float, color: QColor) -> None:
    """Draw the ring that marks the keyboard focus, inside `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, RING))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = RING / 2
    painter.drawRoundedRect(rect.adjusted(inset, inset, -inset, -inset), radius, radius)


def mixed(color: QColor, other: QColor, share: float) -> QColor:
    """Return `color` blended with `other`, whose share is 0 to 1."""

    def blend(first: float, second: float) -> float:
        return first + (second - first) * share

    return QColor.fromRgbF(
        blend(color.redF(), other.redF()),
        blend(color.greenF(), other.greenF()),
        blend(color.blueF(), other.blueF()),
    )
