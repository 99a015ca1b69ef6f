"""Sizes, fonts and colors of the window.

Views read a `Theme` and connect to its `changed`; they set no other color, font or style sheet.
On macOS the native style draws native controls; elsewhere Fusion draws them in the palette of the theme.
"""

import sys
from collections.abc import Mapping
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QApplication

from app.views.kit.palette import DARK, LIGHT, Palette, with_accent

Appearance = Literal["system", "light", "dark"]
FontRole = Literal["body", "label", "title", "heading", "small", "mono"]

SMALLEST_TEXT, LARGEST_TEXT = 80, 200
"""Bounds of the text size, in percent."""

_READING_WIDTH = 760
_IS_NATIVE = sys.platform == "darwin"

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


class Theme(QObject):
    """Colors and fonts for one appearance and text size; both can change at any time."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._appearance: Appearance = "system"
        self._text_size = 100
        self._fonts: dict[tuple[FontRole, bool, bool, int], QFont] = {}
        self._palette = self._current_palette()
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._update_palette)

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
        """Percent of the default size."""
        return self._text_size

    def font(self, role: FontRole, *, tabular: bool = False, bold: bool = False) -> QFont:
        """Return the font of `role`, scaled. `tabular` gives all digits the same width."""
        key = (role, tabular, bold, self.text_size)
        if key not in self._fonts:
            self._fonts[key] = self._new_font(role, tabular=tabular, bold=bold)
        return QFont(self._fonts[key])

    def _new_font(self, role: FontRole, *, tabular: bool, bold: bool) -> QFont:
        pixels, weight = _FONTS[role]
        font = _mono_font() if role == "mono" else _text_font()
        font.setPixelSize(self.scaled(pixels))
        font.setWeight(QFont.Weight.DemiBold if bold else weight)
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font

    @property
    def reading_width(self) -> int:
        """Largest width of a column of text, in pixels; the transcript and the composer share it."""
        return self.scaled(_READING_WIDTH)

    def scaled(self, pixels: float) -> int:
        """Return a length in pixels that grows with the text size."""
        return round(pixels * self._text_size / 100)

    def set_appearance(self, appearance: Appearance) -> None:
        if appearance == self._appearance:
            return
        self._appearance = appearance
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}
        QGuiApplication.styleHints().setColorScheme(schemes[appearance])
        self._update_palette()

    def set_text_size(self, percent: int) -> None:
        percent = min(max(percent, SMALLEST_TEXT), LARGEST_TEXT)
        if percent == self._text_size:
            return
        self._text_size = percent
        self.changed.emit()

    def install(self, application: QApplication) -> None:
        """Apply the theme to the controls of `application`, now and after every change."""
        if not _IS_NATIVE:
            application.setStyle("Fusion")
        self.changed.connect(lambda: self._apply_theme(application))
        self._apply_theme(application)

    def thin_scroll_bars(self, area: QAbstractScrollArea) -> None:
        """Make the scroll bars of `area` as thin as those of macOS, on platforms where they are wide.

        The style sheet is set on the bars only: one for the whole application makes Qt 6.11 lose the fonts of widgets
        that are moved into a scroll area.
        """
        if not _IS_NATIVE:
            _ThinScrollBars(self, area)

    def _apply_theme(self, application: QApplication) -> None:
        application.setFont(self.font("label"))
        if not _IS_NATIVE:
            application.setPalette(_control_palette(self._palette))

    def _update_palette(self) -> None:
        palette = self._current_palette()
        if palette != self._palette:
            self._palette = palette
            self.changed.emit()

    def _current_palette(self) -> Palette:
        palette = DARK if self.is_dark else LIGHT
        return with_accent(palette, QGuiApplication.palette().accent().color()) if _IS_NATIVE else palette


class ScaledTheme(Theme):
    """Follows another theme, with fonts and lengths at `percent` of its sizes."""

    def __init__(self, base: Theme, percent: int, parent: QObject | None = None) -> None:
        self._base, self._percent = base, percent
        super().__init__(parent)
        base.changed.connect(self.changed)

    @property
    def palette(self) -> Palette:
        return self._base.palette

    @property
    def is_dark(self) -> bool:
        return self._base.is_dark

    @property
    def text_size(self) -> int:
        return self._base.text_size * self._percent // 100

    def scaled(self, pixels: float) -> int:
        return round(self._base.scaled(pixels) * self._percent / 100)


class _ThinScrollBars(QObject):
    """Keeps the scroll bars of `area` in the colors of the theme. It is a child of `area`."""

    def __init__(self, theme: Theme, area: QAbstractScrollArea) -> None:
        super().__init__(area)
        self._theme, self._area = theme, area
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def _apply_theme(self) -> None:
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
        # On macOS a missing family costs a search through all fonts, and the system's fixed font is SF Mono or Menlo.
        font.setFamilies([*_MONO_FAMILIES, *font.families()])
    font.setStyleHint(QFont.StyleHint.Monospace)
    return font


def _control_palette(colors: Palette) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette(colors.sidebar)
    for target, color in {
        role.Window: colors.window,
        role.Base: colors.surface,
        role.AlternateBase: colors.sidebar,
        role.Button: colors.bubble,
        role.ToolTipBase: colors.surface,
        role.WindowText: colors.text,
        role.Text: colors.text,
        role.ButtonText: colors.text,
        role.ToolTipText: colors.text,
        role.PlaceholderText: colors.tertiary,
        role.Highlight: colors.accent,
        role.HighlightedText: colors.accent_text,
        role.Accent: colors.accent,
        role.Link: colors.link,
    }.items():
        palette.setColor(target, color)
    for target in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, target, colors.tertiary)
    return palette


def _scroll_bars(colors: Palette) -> str:
    handle = colors.tertiary.name()
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
