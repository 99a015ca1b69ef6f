"""A passage laid out and drawn: where each token is, and pictures of its lines. Places are in pixels from its top."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPixmap

from app.viewmodels.tokens.passage import Passage
from app.views.kit.theme import Theme
from app.views.tokens.layout import TokenLayout
from app.views.tokens.lines import OVER, LinePictures
from app.views.tokens.overview import WIDTH, overview
from app.views.tokens.paragraphs import BEFORE

MONO_KINDS = frozenset({"code", "structured"})
MARGIN = 20
_ABOVE = 3
"""Lines that are seen above the first that is scored when a text is opened."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a page depends on besides what it says: pixels of text side by side, and of the screen for each of those."""

    width: int
    ratio: float


class Page:
    """`passage` in the colours and fonts that the theme has now; `layout` is given where it is laid out already."""

    def __init__(self, theme: Theme, passage: Passage, paper: Paper, layout: TokenLayout | None = None) -> None:
        self._theme, self._paper, self.passage = theme, paper, passage
        font = theme.font("mono" if passage.read.kind in MONO_KINDS else "body")
        self.layout = layout or TokenLayout(passage.read, font, paper.width)
        self._pictures = LinePictures(
            theme, passage, self.layout, font, width=paper.width, margin=MARGIN, ratio=paper.ratio
        )
        self._overview: QPixmap | None = None

    def of(self, passage: Passage) -> "Page":
        """Return the page of another passage with the same text."""
        return Page(self._theme, passage, self._paper, self.layout)

    @property
    def height(self) -> int:
        return round(self.layout.height + 2 * MARGIN)

    @property
    def beginning(self) -> int:
        """From where one sees what is scored, with a little of what comes before."""
        rects = self.rects_of(0) if self.passage.tokens else []
        return max(round(rects[0].top() - _ABOVE * self.layout.line_height), 0) if rects else 0

    def rects_of(self, token: int) -> list[QRectF]:
        """Return where a token is, or the character that it is a piece of: a rectangle for each line of it."""
        rects = self.layout.rects_of(self.layout.cell_of(token))
        return [rect.translated(MARGIN, MARGIN) for rect in rects]

    def token_at(self, point: QPointF) -> int | None:
        """Return the token at that point: of several pieces of one character, where the models are farthest apart."""
        cell = self.layout.cell_at(point - QPointF(MARGIN, MARGIN))
        if cell is None:
            return None
        return max(self.layout.cells[cell].tokens, key=lambda token: self.passage.tokens[token].kl)

    def first_between(self, top: float, bottom: float) -> int | None:
        """Return the first scored token between two heights."""
        cells = (cell for number in self._lines(top, bottom) for cell, _ in self.layout.rects(number))
        return next((self.layout.cells[cell].last for cell in cells if cell != BEFORE), None)

    def paint(self, painter: QPainter, top: float, bottom: float) -> None:
        """Draw what is between two heights."""
        for number in self._lines(top, bottom):
            place = QPointF(0, MARGIN + self.layout.lines[number].top - OVER)
            painter.drawPixmap(place, self._pictures.of(number))

    def paint_overview(self, painter: QPainter, left: int, height: int) -> None:
        """Draw all of it as a strip of that height."""
        if self._overview is None or self._overview.height() != round(height * self._paper.ratio):
            self._overview = overview(self._theme, self.passage, self.layout, height, self._paper.ratio)
        painter.drawPixmap(left, 0, WIDTH, height, self._overview)

    def prepare(self, top: float, bottom: float) -> bool:
        """Draw one line between two heights that was not drawn yet; return whether there was one."""
        return self._pictures.prepare(self._lines(top, bottom))

    def _lines(self, top: float, bottom: float) -> range:
        return self.layout.between(top - MARGIN, bottom - MARGIN)
