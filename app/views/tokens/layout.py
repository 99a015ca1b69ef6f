"""Layout of a text with the position of each token, computed once per width.

A paragraph is shaped as a whole, regardless of its tokens, so that ligatures and right-to-left scripts are correct.
Positions are relative to the top left corner of the page.
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
"""Line height as a multiple of the font height, with space for tints and underlines."""
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


@dataclass(frozen=True, slots=True)
class LayoutLine:
    """A line of text. `origin` is the position of its paragraph."""

    line: QTextLine
    origin: QPointF
    top: float
    spans: Sequence[Span]
    blanks: Sequence[Blank]
    is_mixed: bool
    """True if the line may contain right-to-left text."""


class TokenLayout:
    """The text of `read` in `font`, in lines of at most `width` pixels."""

    def __init__(self, read: TokensRead, font: QFont, width: float) -> None:
        self.cells = list(cells(read))
        self._cell_of = {token: number for number, cell in enumerate(self.cells) for token in cell.tokens}
        self.line_height = QFontMetricsF(font).height() * LEADING
        self._glyphs = QFontMetricsF(font).height()
        self._font, self._width = font, max(width, 40.0)
        self._layouts: list[QTextLayout] = []  # they own their lines
        self.lines: list[LayoutLine] = []
        for paragraph in paragraphs(read, self.cells):
            self._add_paragraph(paragraph)
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
        """Return the indexes of the lines that overlap these y positions."""
        first = max(bisect_right(self._tops, top) - 1, 0)
        return range(first, bisect_left(self._tops, bottom))

    def rects(self, number: int) -> list[tuple[int, QRectF]]:
        """Return the cells of a line with their rectangles; unscored text has the cell `BEFORE`."""
        if (rects := self._rects.get(number)) is None:
            rects = self._rects[number] = list(self._measure(self.lines[number]))
        return rects

    def rects_of(self, cell: int) -> list[QRectF]:
        """Return the rectangles of a cell, one per line."""
        return [rect for number in self._lines_of.get(cell, ()) for other, rect in self.rects(number) if other == cell]

    def cell_of(self, token: int) -> int:
        return self._cell_of[token]

    def blanks(self, number: int) -> Iterator[tuple[QPointF, bool]]:
        """Yield the center of each white-space token in a line, and True for a tab."""
        line = self.lines[number]
        middle = line.top + self.line_height / 2
        for blank in line.blanks:
            for left_edge, right in _ends(line, Span(blank.at, blank.at + 1, BEFORE)):
                yield QPointF((left_edge + right) / 2, middle), blank.is_tab

    def cell_at(self, point: QPointF) -> int | None:
        """Return the scored cell at a point, or None."""
        if not 0 <= point.y() < self.height:
            return None
        number = bisect_right(self._tops, point.y()) - 1
        return next((cell for cell, rect in self.rects(number) if cell != BEFORE and rect.contains(point)), None)

    def _add_paragraph(self, paragraph: Paragraph) -> None:
        text = paragraph.text
        layout = QTextLayout(text, self._font)
        layout.setTextOption(_option(self._font, is_right_to_left=_starts_right_to_left(text)))
        origin = QPointF(0, len(self.lines) * self.line_height)
        starts = [span.start for span in paragraph.spans]
        is_mixed = _has_right_to_left(text)
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(self._width)
            top = len(self.lines) * self.line_height
            line.setPosition(QPointF(0, top - origin.y() + (self.line_height - line.height()) / 2))
            start, end = line.textStart(), line.textStart() + line.textLength()
            overlapping = paragraph.spans[max(bisect_right(starts, start) - 1, 0) : bisect_left(starts, end)]
            cut = (Span(max(span.start, start), min(span.end, end), span.cell) for span in overlapping)
            spans = [span for span in cut if span.start < span.end]
            blanks = [blank for blank in paragraph.blanks if start <= blank.at < end]
            self.lines.append(LayoutLine(line, origin, top, spans, blanks, is_mixed))
        layout.endLayout()
        self._layouts.append(layout)

    def _measure(self, line: LayoutLine) -> Iterator[tuple[int, QRectF]]:
        top = line.top + (self.line_height - self._glyphs) / 2
        for span in line.spans:
            for left_edge, right in _ends(line, span):
                yield span.cell, QRectF(left_edge, top - 2, max(right - left_edge, 3.0), self._glyphs + 4)


def _option(font: QFont, *, is_right_to_left: bool) -> QTextOption:
    option = QTextOption()
    if is_right_to_left:
        option.setTextDirection(Qt.LayoutDirection.RightToLeft)
        option.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignAbsolute)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setTabStopDistance(4 * QFontMetricsF(font).horizontalAdvance("0"))
    return option


def _ends(line: LayoutLine, span: Span) -> Iterator[tuple[float, float]]:
    """Yield the left and right edges of a span, in several pieces if its direction changes."""
    if runs := line.line.glyphRuns(span.start, span.end - span.start) if line.is_mixed else ():
        # Where the direction changes, Qt has two cursor positions, and returns that of the other side.
        for run in runs:
            lefts = [position.x() for position in run.positions()]
            advances = run.rawFont().advancesForGlyphIndexes(run.glyphIndexes())
            yield min(lefts), max(left_edge + advance.x() for left_edge, advance in zip(lefts, advances, strict=True))
    else:
        yield _x(line, span.start, QTextLine.Edge.Leading), _x(line, span.end - 1, QTextLine.Edge.Trailing)


def _x(line: LayoutLine, at: int, edge: QTextLine.Edge) -> float:
    x: float = line.line.cursorToX(at, edge)[0]  # type: ignore[index]  # PySide also returns the cursor
    return x


def _has_right_to_left(text: str) -> bool:
    return not text.isascii() and any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)


def _starts_right_to_left(text: str) -> bool:
    """Return True if the first letter with a direction is right-to-left."""
    kinds = map(unicodedata.bidirectional, () if text.isascii() else text)
    return next((kind for kind in kinds if kind in {"L", "R", "AL"}), "L") != "L"
