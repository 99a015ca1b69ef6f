"""Draws the lines of a text with tints and marks, as pictures that scrolling only copies."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPixmap

from app.viewmodels.tokens.passage import Passage
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme
from app.views.tokens.layout import LayoutLine, TokenLayout
from app.views.tokens.paragraphs import BEFORE, TokenCell
from app.views.tokens.scale import KlScale

OVER = 4
"""Extra pixels of a picture above and below its line, for marks."""
_UNDERLINE = 2.0
_VEIL = 0.33
"""Opacity of the background over an unscored start of a line, which matches the unscored lines above."""
_BLANK, _TAB = "·", "→"


class LinePictures:
    """Pictures of the lines of `passage`, laid out by `layout` in `font`, with `margin` pixels on both sides."""

    def __init__(  # noqa: PLR0913 - everything that determines a picture
        self, theme: Theme, passage: Passage, layout: TokenLayout, font: QFont, *, width: int, margin: int, ratio: float
    ) -> None:
        self._theme, self._passage, self._layout, self._font = theme, passage, layout, font
        self._width, self._margin, self._ratio = width, margin, ratio
        scale = KlScale.of(theme)
        self._tints = [scale.color(kl_of(passage, cell)) for cell in layout.cells]
        first = passage.read.first_difference
        self._first_flip = None if first is None else layout.cell_of(first)
        self._pictures: dict[int, QPixmap] = {}

    def of(self, number: int) -> QPixmap:
        """Return the picture of a line; its top is `OVER` pixels above the line."""
        if (picture := self._pictures.get(number)) is None:
            picture = self._pictures[number] = self._draw(number)
        return picture

    def prepare(self, near: range) -> bool:
        """Draw one missing picture of the lines `near`, and drop distant ones. Return False if none is missing."""
        if len(self._pictures) > 2 * len(near):
            self._pictures = {number: picture for number, picture in self._pictures.items() if number in near}
        number = next((number for number in near if number not in self._pictures), None)
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
        areas = [(cell, rect.translated(offset)) for cell, rect in self._layout.rects(number)]
        self._paint_tints(painter, areas)
        self._paint_text(painter, offset, line, areas)
        self._paint_blanks(painter, offset, number)
        self._paint_marks(painter, areas)
        painter.end()
        return picture

    def _paint_tints(self, painter: QPainter, areas: Sequence[tuple[int, QRectF]]) -> None:
        frame = self._theme.palette.secondary
        for cell, area in areas:
            if cell != BEFORE and (self._tints[cell] or self._is_special(cell)):
                inside = area.adjusted(0.5, 0, -0.5, 0)
                rounded(painter, inside, 3, self._tints[cell], frame if self._is_special(cell) else None)

    def _paint_text(
        self, painter: QPainter, offset: QPointF, line: LayoutLine, areas: Sequence[tuple[int, QRectF]]
    ) -> None:
        colors = self._theme.palette
        is_before = all(cell == BEFORE for cell, _ in areas)
        painter.setPen(colors.secondary if is_before else colors.text)
        line.line.draw(painter, offset + line.origin)
        if is_before:
            return
        veil = QColor(colors.window)
        veil.setAlphaF(_VEIL)
        for cell, area in areas:
            if cell == BEFORE:
                painter.fillRect(area, veil)

    def _paint_blanks(self, painter: QPainter, offset: QPointF, number: int) -> None:
        """Show scored white space, as code editors do."""
        painter.setFont(self._font)
        painter.setPen(self._theme.palette.secondary)
        side = self._layout.line_height
        for middle, is_tab in self._layout.blanks(number):
            area = QRectF(0, 0, side, side)
            area.moveCenter(middle + offset)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, _TAB if is_tab else _BLANK)

    def _paint_marks(self, painter: QPainter, areas: Sequence[tuple[int, QRectF]]) -> None:
        danger = self._theme.palette.danger
        for cell, area in areas:
            if cell != BEFORE and self._differs(cell):
                painter.fillRect(QRectF(area.left() + 1, area.bottom(), area.width() - 2, _UNDERLINE), danger)
                if cell == self._first_flip:
                    self._paint_flag(painter, area)

    def _paint_flag(self, painter: QPainter, area: QRectF) -> None:
        """Mark the first flip: up to here, both models would have written the same text."""
        side = self._theme.scaled(7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.palette.danger)
        top = QPointF(area.left(), area.top() - 1)
        painter.drawPolygon([top, top + QPointF(side, 0), top + QPointF(0, side)])

    def _differs(self, cell: int) -> bool:
        return any(self._passage.tokens[token].differs for token in self._layout.cells[cell].tokens)

    def _is_special(self, cell: int) -> bool:
        return any(self._passage.tokens[token].is_special for token in self._layout.cells[cell].tokens)


def kl_of(passage: Passage, cell: TokenCell) -> float:
    """Return the highest KL of the tokens of a cell."""
    return max(passage.tokens[token].kl for token in cell.tokens)
