"""Text size and width in charts: measured by a font if there is one, estimated otherwise."""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from mlx_engine.measure.charts.scene import Area, TextItem

WidthOf = Callable[[str, float, bool], float]
"""Returns the width of a text of a given size in pixels, bold or not."""

# Hundredths of the size for the characters from " " to "~" in Inter with tabular figures, on the whole
# wider than Helvetica and Arial: text that fits by this table nearly always fits in those as well.
_widths = (
    28, 28, 40, 63, 64, 81, 64, 22, 36, 36, 50, 66, 28, 46, 28, 36, 65, 65, 65, 65, 65, 65, 65, 65, 65, 65, 28, 28, 66,
    66, 66, 51, 94, 68, 65, 73, 72, 60, 59, 74, 74, 26, 54, 65, 56, 89, 75, 76, 63, 76, 64, 64, 64, 74, 68, 95, 64, 66,
    62, 36, 36, 36, 47, 45, 50, 56, 62, 56, 62, 58, 36, 61, 59, 24, 24, 54, 24, 87, 59, 60, 61, 61, 37, 52, 36, 58, 56,
    81, 54, 56, 54, 36, 33, 36, 66,
)  # fmt: skip
_BOLD = 1.07
_ascent, _descent = 0.8, 0.22


def estimated_width(text: str, size: float, bold: bool) -> float:
    """Return the approximate width of `text`."""
    return size * (_BOLD if bold else 1) * sum(map(_width, text)) / 100


def _width(character: str) -> int:
    index = ord(character) - 32
    if 0 <= index < len(_widths):
        return _widths[index]
    if unicodedata.combining(character):
        return 0
    return 104 if unicodedata.east_asian_width(character) in "WF" else 68


@dataclass(frozen=True, slots=True)
class Style:
    """`size` is that of text in pixels; everything else in a chart scales with it."""

    size: float = 12.0
    width_of: WidthOf = estimated_width

    @property
    def line(self) -> float:
        """Distance between two lines of text."""
        return self.size * 1.35

    def scaled(self, pixels: float) -> float:
        """Return a length that scales with the text."""
        return pixels * self.size / 12

    def width(self, text: str, *, bold: bool = False) -> float:
        return self.width_of(text, self.size, bold)

    def area(self, item: TextItem) -> Area:
        """Return the area of `item`."""
        width = self.width_of(item.text, item.size, item.bold)
        left = item.at.x - {"start": 0.0, "middle": width / 2, "end": width}[item.anchor]
        return Area(left, item.at.y - item.size * _ascent, width, item.size * (_ascent + _descent))

    def elided(self, text: str, width: float) -> str:
        """Return `text`, shortened in the middle if it is wider than `width`, to no less than two characters."""
        if len(text) <= 2 or self.width(text) <= width:
            return text
        most = bisect_right(range(3, len(text)), width, key=lambda length: self.width(_without_middle(text, length)))
        return _without_middle(text, 2 + most)

    def wrapped(self, text: str, width: float) -> list[str]:
        """Return `text` in lines no wider than `width`, unless a word is wider."""
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.width(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines


def _without_middle(text: str, length: int) -> str:
    return f"{text[: (length + 1) // 2]}…{text[len(text) - length // 2 :]}"
