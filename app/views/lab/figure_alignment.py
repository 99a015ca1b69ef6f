"""Figures below each other by their points and by ±, whatever the number of their digits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

_WHOLE = re.compile(r"-?[\d,]*")
_RIGHT, _LEFT = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
_SIDES = (_RIGHT, _LEFT, _LEFT, _RIGHT, _LEFT)


@lru_cache(maxsize=4096)
def parts(text: str) -> tuple[str, ...]:
    """Return what stands before the point, the rest of the number, " ± ", and both of the error."""
    value, plus_minus, error = text.partition(" ± ")
    return (*_at_point(value), plus_minus, *_at_point(error))


def _at_point(number: str) -> tuple[str, str]:
    found = _WHOLE.match(number)
    end = found.end() if found else 0
    return number[:end], number[end:]


@dataclass(frozen=True, slots=True)
class Slots:
    """How wide each part of a column's figures is at most."""

    widths: tuple[float, ...] = (0.0,) * len(_SIDES)

    @property
    def width(self) -> float:
        return sum(self.widths)

    def left_of(self, text: str, right: float) -> float:
        """Return where `text` begins if the slots end at `right`."""
        whole = next((number for number, part in enumerate(parts(text)) if part), 0)
        return right - sum(self.widths[whole:])

    def draw(self, painter: QPainter, place: QRect, text: str) -> None:
        """Draw `text` so that the slots end at the right of `place`."""
        left = place.right() + 1 - self.width
        for part, width, side in zip(parts(text), self.widths, _SIDES, strict=True):
            if part:
                area = QRectF(left, place.top(), width, place.height())
                painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, part)
            left += width


def slots(texts: Iterable[str], font: QFont) -> Slots:
    """Return what all `texts` fit into."""
    width = lru_cache(maxsize=None)(QFontMetricsF(font).horizontalAdvance)
    columns = zip(*map(parts, texts), strict=True)
    found = tuple(max(map(width, set(column))) for column in columns)
    return Slots(found) if found else Slots()
