"""Icons in the colors of the theme: SF Symbols on macOS, SVG drawings elsewhere."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

import resources
from app.views.kit.theme import Theme

_SYMBOLS: Mapping[str, str] = {
    "arrow-down": "arrow.down",
    "check": "checkmark",
    "chevron-down": "chevron.down",
    "chevron-left": "chevron.left",
    "chevron-right": "chevron.right",
    "chevron-up": "chevron.up",
    "close": "xmark",
    "compose": "square.and.pencil",
    "copy": "doc.on.doc",
    "discover": "magnifyingglass",
    "edit": "pencil",
    "folder": "folder",
    "info": "info.circle",
    "jobs": "list.bullet",
    "lab": "testtube.2",
    "model": "shippingbox",
    "offline": "wifi.slash",
    "parameters": "slider.horizontal.3",
    "pause": "pause.fill",
    "person": "person.crop.circle",
    "play": "play.fill",
    "plus": "plus",
    "publish": "square.and.arrow.up",
    "quantize": "stairs",
    "redo": "arrow.uturn.forward",
    "regenerate": "arrow.clockwise",
    "search": "magnifyingglass",
    "send": "arrow.up",
    "settings": "gearshape",
    "sidebar": "sidebar.left",
    "stop": "stop.fill",
    "thinking": "lightbulb",
    "trash": "trash",
    "undo": "arrow.uturn.backward",
    "unload": "eject",
    "warning": "exclamationmark.triangle",
}
NAMES = frozenset(_SYMBOLS)

_DRAWINGS = Path(resources.__file__).parent / "icons"
_SIDE = 18
"""Pixels at 100 % text size."""


def icon(name: str, theme: Theme) -> QIcon:
    """Return the icon in the text color, paler when disabled. Call it again after the theme changes."""
    side = theme.scaled(_SIDE)
    result = QIcon()
    for mode, color in ((QIcon.Mode.Normal, theme.palette.text), (QIcon.Mode.Disabled, theme.palette.tertiary)):
        for scale in (1, 2):
            result.addPixmap(pixmap(name, side=side, scale=scale, color=color), mode)
    return result


def pixmap(name: str, *, side: int, scale: float, color: QColor) -> QPixmap:
    """Return the icon in one color, `side` logical pixels square, for a screen of `scale` device pixels per pixel."""
    drawing = QIcon.fromTheme(_SYMBOLS[name], QIcon(str(_DRAWINGS / f"{name}.svg")))
    tinted = QPixmap(QSize(side, side) * scale)
    tinted.setDevicePixelRatio(scale)
    tinted.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tinted)
    drawing.paint(painter, 0, 0, side, side)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(0, 0, side, side, color)
    painter.end()
    return tinted
