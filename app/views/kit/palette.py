"""All colors, light and dark, by purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from PySide6.QtGui import QColor, qGray


@dataclass(frozen=True, slots=True)
class Palette:
    """Colors by purpose; `code` is keyed by kind of token."""

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


def _code(**colors: str) -> Mapping[str, QColor]:
    return MappingProxyType({kind: QColor(color) for kind, color in colors.items()})


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


def with_accent(palette: Palette, accent: QColor) -> Palette:
    """Return the palette with the system's accent color, and a text color that is legible on it.

    White is legible on dark accents, but not on yellow, for example.
    """
    text = QColor("#ffffff") if qGray(accent.rgb()) < 153 else QColor("#1d1d1f")
    return replace(palette, accent=accent, accent_text=text)
