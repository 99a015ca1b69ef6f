"""Where each token of a text is on the screen: laid out once for a width, and then only looked up.

A paragraph is shaped as a whole, whatever tokens it is cut into, so that letters join and scripts that run from right
to left run so. Places are those of a page that begins at 0, 0.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QTextLayout, QTextLine, QTextOption

from app.views.tokens.paragraphs import BEFORE, Blank, Paragraph, Span, cells, paragraphs
from mlx_engine.measure.results.messages import TokensRead

LEADING = 1.55
"""A line's height in heights of the font: room for the tint and for what is drawn below a token."""
_FROM_RIGHT = frozenset({"R", "AL", "AN"})


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. `origin` is where its paragraph begins."""

    line: QTextLine
    origin: QPointF
    top: float
    spans: Sequence[Span]
    blanks: Sequence[Blank]
    is_mixed: bool
    """Whether something in it may run from right to left."""


class TokenLayout:
    """The text of `read` in `font`, in lines as long as `width` pixels at most."""

    def __init__(self, read: TokensRead, font: QFont, width: float) -> None:
        self.cells = list(cells(read))
        self._cell_of = {token: number for number, cell in enumerate(self.cells) for token in cell.tokens}
        self.line_height = QFontMetricsF(font).height() * LEADING
        self._glyphs = QFontMetricsF(font).height()
        self._font, self._width = font, max(width, 40.0)
        self._layouts: list[QTextLayout] = []  # their lines live as long as they do
        self.lines: list[Line] = []
        for paragraph in paragraphs(read, self.cells):
            self._lay_out(paragraph)
        self._tops = [line.top for line in self.lines]
        self._rects: dict[int, list[tuple[int, QRectF]]] = {}
        self._lines_of: dict[int, list[int]] = {}
        for number, line in enumerate(self.lines):
            for span in line.spans:
                self._lines_of.setdefault(span.cell, []).append(number)

    @property
    def height(self) -> float:
        return len(self.lines) * self.line_height

    def between(self, top: float, bottom: float) -> range:
        """Return the numbers of the lines of which something is between these heights."""
        first = max(bisect_right(self._tops, top) - 1, 0)
        return range(first, bisect_left(self._tops, bottom))

    def rects(self, number: int) -> list[tuple[int, QRectF]]:
        """Return where the cells of a line are, those that are not scored as `BEFORE`."""
        if (known := self._rects.get(number)) is None:
            known = self._rects[number] = list(self._measured(self.lines[number]))
        return known

    def rects_of(self, cell: int) -> list[QRectF]:
        """Return where a cell is, in each of its lines."""
        return [rect for number in self._lines_of.get(cell, ()) for own, rect in self.rects(number) if own == cell]

    def cell_of(self, token: int) -> int:
        return self._cell_of[token]

    def blanks(self, number: int) -> Iterator[tuple[QPointF, bool]]:
        """Yield the middle of what is white space of its own in a line, and whether it is a tab."""
        line = self.lines[number]
        middle = line.top + self.line_height / 2
        for blank in line.blanks:
            for left, right in _ends(line, Span(blank.at, blank.at + 1, BEFORE)):
                yield QPointF((left + right) / 2, middle), blank.is_tab

    def cell_at(self, point: QPointF) -> int | None:
        """Return the scored cell at that point, None beside all."""
        if not 0 <= point.y() < self.height:
            return None
        number = bisect_right(self._tops, point.y()) - 1
        return next((cell for cell, rect in self.rects(number) if cell != BEFORE and rect.contains(point)), None)

    def _lay_out(self, paragraph: Paragraph) -> None:
        text = paragraph.text
        layout = QTextLayout(text, self._font)
        layout.setTextOption(_option(self._font, is_from_right=_begins_at_right(text)))
        origin = QPointF(0, len(self.lines) * self.line_height)
        starts = [span.start for span in paragraph.spans]
        is_mixed = _runs_from_right(text)
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(self._width)
            top = len(self.lines) * self.line_height
            line.setPosition(QPointF(0, top - origin.y() + (self.line_height - line.height()) / 2))
            begin, end = line.textStart(), line.textStart() + line.textLength()
            own = paragraph.spans[max(bisect_right(starts, begin) - 1, 0) : bisect_left(starts, end)]
            cut = (Span(max(span.start, begin), min(span.end, end), span.cell) for span in own)
            spans = [span for span in cut if span.start < span.end]
            blanks = [blank for blank in paragraph.blanks if begin <= blank.at < end]
            self.lines.append(Line(line, origin, top, spans, blanks, is_mixed))
        layout.endLayout()
        self._layouts.append(layout)

    def _measured(self, line: Line) -> Iterator[tuple[int, QRectF]]:
        top = line.top + (self.line_height - self._glyphs) / 2
        for span in line.spans:
            for left, right in _ends(line, span):
                yield span.cell, QRectF(left, top - 2, max(right - left, 3.0), self._glyphs + 4)


def _option(font: QFont, *, is_from_right: bool) -> QTextOption:
    option = QTextOption()
    if is_from_right:
        option.setTextDirection(Qt.LayoutDirection.RightToLeft)
        option.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setTabStopDistance(4 * QFontMetricsF(font).horizontalAdvance("0"))
    return option


def _ends(line: Line, span: Span) -> Iterator[tuple[float, float]]:
    """Yield where a span begins and ends from left to right; in several pieces where the direction turns within it."""
    if runs := line.line.glyphRuns(span.start, span.end - span.start) if line.is_mixed else ():
        # Where the direction turns, Qt has two places for a cursor, and tells that of the other side.
        for run in runs:
            lefts = [place.x() for place in run.positions()]
            advances = run.rawFont().advancesForGlyphIndexes(run.glyphIndexes())
            yield min(lefts), max(left + one.x() for left, one in zip(lefts, advances, strict=True))
    else:
        yield _x(line, span.start, QTextLine.Edge.Leading), _x(line, span.end - 1, QTextLine.Edge.Trailing)


def _x(line: Line, at: int, edge: QTextLine.Edge) -> float:
    x: float = line.line.cursorToX(at, edge)[0]  # type: ignore[index]  # PySide returns the cursor, too
    return x


def _runs_from_right(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(letter) in _FROM_RIGHT for letter in text)


def _begins_at_right(text: str) -> bool:
    """Tell by the first letter of a paragraph from which side it is read."""
    kinds = map(unicodedata.bidirectional, () if text.isascii() else text)
    return next((kind for kind in kinds if kind in {"L", "R", "AL"}), "L") != "L"
