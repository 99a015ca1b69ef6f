"""Horizontal scrolling inside a page that scrolls vertically."""

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QScrollBar


def scroll_sideways(bar: QScrollBar, event: QWheelEvent) -> None:
    """Move `bar` for a horizontal wheel event; leave vertical ones to the page."""
    turn = event.angleDelta()
    if abs(turn.x()) <= abs(turn.y()) or bar.maximum() == 0:
        event.ignore()
        return
    bar.setValue(bar.value() - (event.pixelDelta().x() or turn.x() // 2))
    event.accept()
