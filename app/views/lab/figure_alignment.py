"""Aligns the figures of a column at the decimal point and at ±, regardless of their number of digits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

_INTEGER = re.compile(r"-?[\d,]*")
_RIGHT, _LEFT = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
_SIDES = (_RIGHT, _LEFT, _LEFT, _RIGHT, _LEFT)


@lru_cache(maxsize=4096)
def split_figure(text: str) -> tuple[str, ...]:
    """Return the integer part, the rest of the number, " ± ", and both parts of the error: "1.5 ± 0.2" is split into
    "1", ".5", " ± ", "0", ".2".
    """
    value, plus_minus, error = text.partition(" ± ")
    return (*_split_at_point(value), plus_minus, *_split_at_point(error))


def _split_at_point(number: str) -> tuple[str, str]:
    integer = _INTEGER.match(number)
    end = integer.end() if integer else 0
    return number[:end], number[end:]


@dataclass(frozen=True, slots=True)
class FigureSlots:
    """The largest width of each part of a column's figures."""

    widths: tuple[float, ...] = (0.0,) * len(_SIDES)

    @property
    def width(self) -> float:
        return sum(self.widths)

    def left_edge(self, text: str, right: float) -> float:
        """Return the x of the left edge of `text` if the slots end at `right`."""
        first = next((number for number, part in enumerate(split_figure(text)) if part), 0)
        return right - sum(self.widths[first:])

    def draw(self, painter: QPainter, rect: QRect, text: str) -> None:
        """Draw `text` so that the slots end at the right edge of `rect`."""
        left_edge = rect.right() + 1 - self.width
        for part, width, side in zip(split_figure(text), self.widths, _SIDES, strict=True):
            if part:
                area = QRectF(left_edge, rect.top(), width, rect.height())
                painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, part)
            left_edge += width


def figure_slots(texts: Iterable[str], font: QFont) -> FigureSlots:
    """Return the slots that fit all `texts`."""
    width = lru_cache(maxsize=None)(QFontMetricsF(font).horizontalAdvance)
    columns = zip(*map(split_figure, texts), strict=True)
    widths = tuple(max(map(width, set(column))) for column in columns)
    return FigureSlots(widths) if widths else FigureSlots()
