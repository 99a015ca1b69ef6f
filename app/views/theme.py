"""The one home of colours, sizes and fonts.

Views ask a `Theme` and listen to its `changed`; they set no colour, font or style sheet of their own making.
On macOS the native style draws native controls; elsewhere Fusion draws them in the palette given here.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette, qGray
from PySide6.QtWidgets import QAbstractScrollArea, QApplication

Appearance = Literal["system", "light", "dark"]
FontRole = Literal["body", "label", "title", "heading", "small", "mono"]

SMALLEST_TEXT, LARGEST_TEXT = 80, 200
"""Bounds of the text size, in percent."""

_READING_WIDTH = 760
_NATIVE_COLOURS = sys.platform == "darwin"

# Pixel size at 100 % and weight: `body` is for reading, `label` for controls.
_FONTS: Mapping[FontRole, tuple[int, QFont.Weight]] = {
    "body": (15, QFont.Weight.Normal),
    "label": (13, QFont.Weight.Normal),
    "title": (24, QFont.Weight.DemiBold),
    "heading": (15, QFont.Weight.DemiBold),
    "small": (12, QFont.Weight.Normal),
    "mono": (13, QFont.Weight.Normal),
}
_MONO_FAMILIES = ["JetBrains Mono", "DejaVu Sans Mono", "Liberation Mono", "monospace"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they are for; `code` is keyed by kind of token."""

    window: QColor
    sidebar: QColor
    surface: QColor
    text: QColor
    secondary: QColor
    tertiary: QColor
    border: QColor
    hover: QColor
    bubble: QColor
    accent: QColor
    accent_text: QColor
    selection: QColor
    link: QColor
    code_background: QColor
    danger: QColor
    warning: QColor
    success: QColor
    code: Mapping[str, QColor]


def _code(**colours: str) -> Mapping[str, QColor]:
    return MappingProxyType({kind: QColor(colour) for kind, colour in colours.items()})


LIGHT = Palette(
    window=QColor("#ffffff"),
    sidebar=QColor("#f3f3f5"),
    surface=QColor("#ffffff"),
    text=QColor("#1d1d1f"),
    secondary=QColor("#66666b"),
    tertiary=QColor("#8e8e93"),
    border=QColor("#dcdce0"),
    hover=QColor(0, 0, 0, 14),
    bubble=QColor("#f0f0f3"),
    accent=QColor("#0071e3"),
    accent_text=QColor("#ffffff"),
    selection=QColor("#b9d9fb"),
    link=QColor("#0060c7"),
    code_background=QColor("#f6f7f9"),
    danger=QColor("#c9252d"),
    warning=QColor("#9a5b00"),
    success=QColor("#1e7f3c"),
    code=_code(
        keyword="#a31d93",
        string="#b3261e",
        number="#1c4fc4",
        comment="#6b7280",
        function="#1f5fa8",
        type="#20707f",
        builtin="#5b36b0",
        operator="#4a4a50",
        punctuation="#4a4a50",
        constant="#8a4500",
        tag="#1f5fa8",
        attribute="#8a4500",
        error="#c9252d",
    ),
)
DARK = Palette(
    window=QColor("#1e1e20"),
    sidebar=QColor("#262628"),
    surface=QColor("#2a2a2d"),
    text=QColor("#f2f2f4"),
    secondary=QColor("#a5a5ab"),
    tertiary=QColor("#7f7f85"),
    border=QColor("#3b3b3f"),
    hover=QColor(255, 255, 255, 18),
    bubble=QColor("#2d2d31"),
    accent=QColor("#0a72e0"),
    accent_text=QColor("#ffffff"),
    selection=QColor("#264f78"),
    link=QColor("#5aa9ff"),
    code_background=QColor("#28282b"),
    danger=QColor("#ff6961"),
    warning=QColor("#f0b24a"),
    success=QColor("#4cc46e"),
    code=_code(
        keyword="#ff7ab8",
        string="#ff9c8a",
        number="#d8c86b",
        comment="#8b949e",
        function="#7cc7ff",
        type="#7fd6c8",
        builtin="#c3a6ff",
        operator="#c9c9d0",
        punctuation="#c9c9d0",
        constant="#f0b06a",
        tag="#7cc7ff",
        attribute="#f0b06a",
        error="#ff6961",
    ),
)


class Theme(QObject):
    """The colours and fonts in use. Text size and appearance change everything at once."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._appearance: Appearance = "system"
        self._text_size = 100
        self._palette = self._chosen()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._renew)

    @property
    def palette(self) -> Palette:
        return self._palette

    @property
    def is_dark(self) -> bool:
        if self._appearance == "system":
            return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._appearance == "dark"

    @property
    def text_size(self) -> int:
        """Percent of the normal size."""
        return self._text_size

    def font(self, role: FontRole, *, tabular: bool = False, bold: bool = False) -> QFont:
        """Return the font of `role`, scaled. `tabular` gives all figures the same width."""
        pixels, weight = _FONTS[role]
        font = _mono_font() if role == "mono" else _text_font()
        font.setPixelSize(self.scaled(pixels))
        font.setWeight(QFont.Weight.DemiBold if bold else weight)
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font

    @property
    def reading_width(self) -> int:
        """Pixels that a column of text takes at most; the transcript and the composer share it."""
        return self.scaled(_READING_WIDTH)

    def scaled(self, pixels: float) -> int:
        """Return a length that grows with the text size."""
        return round(pixels * self._text_size / 100)

    def set_appearance(self, appearance: Appearance) -> None:
        if appearance == self._appearance:
            return
        self._appearance = appearance
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}
        QGuiApplication.styleHints().setColorScheme(schemes[appearance])
        self._renew()

    def set_text_size(self, percent: int) -> None:
        percent = min(max(percent, SMALLEST_TEXT), LARGEST_TEXT)
        if percent == self._text_size:
            return
        self._text_size = percent
        self.changed.emit()

    def install(self, application: QApplication) -> None:
        """Make the controls of `application` follow this theme, now and after every change."""
        if not _NATIVE_COLOURS:
            application.setStyle("Fusion")
        self.changed.connect(lambda: self._dress(application))
        self._dress(application)

    def thin_scroll_bars(self, area: QAbstractScrollArea) -> None:
        """Make the scroll bars of `area` as thin as those of macOS, where the platform's own are wide.

        The style sheet is on the bars alone: one for the whole application makes Qt 6.11 forget the fonts of widgets
        that are moved into a scroll area.
        """
        if not _NATIVE_COLOURS:
            _ThinScrollBars(self, area)

    def _dress(self, application: QApplication) -> None:
        application.setFont(self.font("label"))
        if not _NATIVE_COLOURS:
            application.setPalette(_control_palette(self._palette))

    def _renew(self) -> None:
        palette = self._chosen()
        if palette != self._palette:
            self._palette = palette
            self.changed.emit()

    def _chosen(self) -> Palette:
        palette = DARK if self.is_dark else LIGHT
        return with_accent(palette, QGuiApplication.palette().accent().color()) if _NATIVE_COLOURS else palette


def with_accent(palette: Palette, accent: QColor) -> Palette:
    """Return the palette with the accent colour that the person chose for the whole system, and text to be read on it.

    White is read on dark accents; on yellow, say, it is not.
    """
    text = QColor("#ffffff") if qGray(accent.rgb()) < 153 else QColor("#1d1d1f")
    return replace(palette, accent=accent, accent_text=text)


class _ThinScrollBars(QObject):
    """Keeps the scroll bars of `area` in the colours of the theme for as long as it lives."""

    def __init__(self, theme: Theme, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._theme, self._area = theme, area
        theme.changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        for bar in (self._area.verticalScrollBar(), self._area.horizontalScrollBar()):
            bar.setStyleSheet(_scroll_bars(self._theme.palette))


def _text_font() -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if sys.platform == "linux":
        font.setFamilies(["Inter", *font.families()])
    return font


def _mono_font() -> QFont:
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    if sys.platform == "linux":
        # On macOS a family that is not there costs a search through all fonts; its own fixed font is SF Mono or Menlo.
        font.setFamilies([*_MONO_FAMILIES, *font.families()])
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def _control_palette(colours: Palette) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(colours.sidebar)
    for target, colour in {
        role.Window: colours.window,
        role.Base: colours.surface,
        role.AlternateBase: colours.sidebar,
        role.Button: colours.bubble,
        role.ToolTipBase: colours.surface,
        role.WindowText: colours.text,
        role.Text: colours.text,
        role.ButtonText: colours.text,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.tertiary,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.accent_text,
        role.Accent: colours.accent,
        role.Link: colours.link,
    }.items():
        palette.setColor(target, colour)
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, colours.tertiary)
    return palette


def _scroll_bars(colours: Palette) -> str:
    handle = colours.tertiary.name()
    return f"""
        QScrollBar {{ background: transparent; border: none; }}
        QScrollBar:vertical {{ width: 10px; }}
        QScrollBar:horizontal {{ height: 10px; }}
        QScrollBar::handle {{ background: {handle}; border-radius: 3px; margin: 2px; }}
        QScrollBar::handle:vertical {{ min-height: 28px; }}
        QScrollBar::handle:horizontal {{ min-width: 28px; }}
        QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
        QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """
