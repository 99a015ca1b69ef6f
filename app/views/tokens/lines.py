"""Draws the lines of a text with their tints and marks, as pictures that scrolling only has to copy."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap

from app.viewmodels.tokens.passage import Passage
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme
from app.views.tokens.layout import Line, TokenLayout
from app.views.tokens.paragraphs import BEFORE, Cell
from app.views.tokens.scale import KlScale

OVER = 4
"""Pixels by which the picture of a line is higher than the line, above and below: marks reach out of it."""
_UNDERLINE = 2.0
_VEIL = 0.33
"""How much of the ground lies over the beginning of a line that is not scored: it looks like the lines before then."""
_BLANK, _TAB = "·", "→"


class LinePictures:
    """Those of `passage`, laid out by `layout` in `font`: `margin` and the width of the text wide, left and right."""

    def __init__(  # noqa: PLR0913 - what a picture depends on
        self, theme: Theme, passage: Passage, layout: TokenLayout, font: QFont, *, width: int, margin: int, ratio: float
    ) -> None:
        self._theme, self._passage, self._layout, self._font = theme, passage, layout, font
        self._width, self._margin, self._ratio = width, margin, ratio
        scale = KlScale.of(theme)
        self._tints = [scale.colour(kl_of(passage, cell)) for cell in layout.cells]
        first = passage.read.first_difference
        self._first_flip = None if first is None else layout.cell_of(first)
        self._drawn: dict[int, QPixmap] = {}

    def of(self, number: int) -> QPixmap:
        """Return the picture of the line of that number, its top `OVER` pixels above the line."""
        if (known := self._drawn.get(number)) is None:
            known = self._drawn[number] = self._draw(number)
        return known

    def prepare(self, near: range) -> bool:
        """Draw one of the lines `near` that is not drawn yet, and let go of others; return whether there was one."""
        if len(self._drawn) > 2 * len(near):
            self._drawn = {number: one for number, one in self._drawn.items() if number in near}
        number = next((number for number in near if number not in self._drawn), None)
        if number is not None:
            self.of(number)
        return number is not None

    def _draw(self, number: int) -> QPixmap:
        height = self._layout.line_height + 2 * OVER
        picture = QPixmap(round((self._width + 2 * self._margin) * self._ratio), round(height * self._ratio))
        picture.setDevicePixelRatio(self._ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self._layout.lines[number]
        offset = QPointF(self._margin, OVER - line.top)
        places = [(cell, rect.translated(offset)) for cell, rect in self._layout.rects(number)]
        self._paint_grounds(painter, places)
        self._paint_text(painter, offset, line, places)
        self._paint_blanks(painter, offset, number)
        self._paint_marks(painter, places)
        painter.end()
        return picture

    def _paint_grounds(self, painter: QPainter, places: Sequence[tuple[int, QRectF]]) -> None:
        frame = self._theme.palette.secondary
        for cell, place in places:
            if cell != BEFORE and (self._tints[cell] or self._is_special(cell)):
                inside = place.adjusted(0.5, 0, -0.5, 0)
                rounded(painter, inside, 3, self._tints[cell], frame if self._is_special(cell) else None)

    def _paint_text(self, painter: QPainter, offset: QPointF, line: Line, places: Sequence[tuple[int, QRectF]]) -> None:
        colours = self._theme.palette
        is_before = all(cell == BEFORE for cell, _ in places)
        painter.setPen(colours.secondary if is_before else colours.text)
        line.line.draw(painter, offset + line.origin)
        if is_before:
            return
        veil = QColor(colours.window)
        veil.setAlphaF(_VEIL)
        for cell, place in places:
            if cell == BEFORE:
                painter.fillRect(place, veil)

    def _paint_blanks(self, painter: QPainter, offset: QPointF, number: int) -> None:
        """Show white space that was scored, as editors of programs do."""
        painter.setFont(self._font)
        painter.setPen(self._theme.palette.secondary)
        side = self._layout.line_height
        for middle, is_tab in self._layout.blanks(number):
            area = QRectF(0, 0, side, side)
            area.moveCenter(middle + offset)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, _TAB if is_tab else _BLANK)

    def _paint_marks(self, painter: QPainter, places: Sequence[tuple[int, QRectF]]) -> None:
        danger = self._theme.palette.danger
        for cell, place in places:
            if cell != BEFORE and self._differs(cell):
                painter.fillRect(QRectF(place.left() + 1, place.bottom(), place.width() - 2, _UNDERLINE), danger)
                if cell == self._first_flip:
                    self._paint_flag(painter, place)

    def _paint_flag(self, painter: QPainter, place: QRectF) -> None:
        """Mark the first token where the choice differs: up to here, both would have written the same."""
        side = self._theme.scaled(7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.palette.danger)
        top = QPointF(place.left(), place.top() - 1)
        painter.drawPolygon([top, top + QPointF(side, 0), top + QPointF(0, side)])

    def _differs(self, cell: int) -> bool:
        return any(self._passage.tokens[token].differs for token in self._layout.cells[cell].tokens)

    def _is_special(self, cell: int) -> bool:
        return any(self._passage.tokens[token].is_special for token in self._layout.cells[cell].tokens)


def kl_of(passage: Passage, cell: Cell) -> float:
    """Return the greatest KL of the tokens of a cell."""
    return max(passage.tokens[token].kl for token in cell.tokens)
