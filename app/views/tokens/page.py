"""A passage with its layout and the pictures of its lines. Positions are in pixels from the top of the page."""

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
"""Lines visible above the first scored line when a text is opened."""


@dataclass(frozen=True, slots=True)
class PageMetrics:
    """Width of the text in pixels, and device pixels per pixel."""

    width: int
    ratio: float


class PassagePage:
    """A passage in the current colors and fonts of the theme. `layout` can be reused for the same text."""

    def __init__(self, theme: Theme, passage: Passage, metrics: PageMetrics, layout: TokenLayout | None = None) -> None:
        self._theme, self._metrics, self.passage = theme, metrics, passage
        font = theme.font("mono" if passage.read.kind in MONO_KINDS else "body")
        self.layout = layout or TokenLayout(passage.read, font, metrics.width)
        self._pictures = LinePictures(
            theme, passage, self.layout, font, width=metrics.width, margin=MARGIN, ratio=metrics.ratio
        )
        self._overview: QPixmap | None = None

    def with_passage(self, passage: Passage) -> "PassagePage":
        """Return the page of another passage with the same text."""
        return PassagePage(self._theme, passage, self._metrics, self.layout)

    @property
    def height(self) -> int:
        return round(self.layout.height + 2 * MARGIN)

    @property
    def start(self) -> int:
        """Scroll position that shows the first scored line, with a few lines above."""
        rects = self.rects_of(0) if self.passage.tokens else []
        return max(round(rects[0].top() - _ABOVE * self.layout.line_height), 0) if rects else 0

    def rects_of(self, token: int) -> list[QRectF]:
        """Return a rectangle per line of a token, or of the character that it is part of."""
        rects = self.layout.rects_of(self.layout.cell_of(token))
        return [rect.translated(MARGIN, MARGIN) for rect in rects]

    def token_at(self, point: QPointF) -> int | None:
        """Return the token at a point; of the parts of a character, the one with the highest KL."""
        cell = self.layout.cell_at(point - QPointF(MARGIN, MARGIN))
        if cell is None:
            return None
        return max(self.layout.cells[cell].tokens, key=lambda token: self.passage.tokens[token].kl)

    def first_between(self, top: float, bottom: float) -> int | None:
        """Return the first scored token between two y positions."""
        cells = (cell for number in self._lines(top, bottom) for cell, _ in self.layout.rects(number))
        return next((self.layout.cells[cell].last for cell in cells if cell != BEFORE), None)

    def paint(self, painter: QPainter, top: float, bottom: float) -> None:
        """Paint the lines between two y positions."""
        for number in self._lines(top, bottom):
            position = QPointF(0, MARGIN + self.layout.lines[number].top - OVER)
            painter.drawPixmap(position, self._pictures.of(number))

    def paint_overview(self, painter: QPainter, x: int, height: int) -> None:
        """Paint the overview with this height."""
        if self._overview is None or self._overview.height() != round(height * self._metrics.ratio):
            self._overview = overview(self._theme, self.passage, self.layout, height, self._metrics.ratio)
        painter.drawPixmap(x, 0, WIDTH, height, self._overview)

    def prepare(self, top: float, bottom: float) -> bool:
        """Draw one missing line between two y positions. Return False if there is none."""
        return self._pictures.prepare(self._lines(top, bottom))

    def _lines(self, top: float, bottom: float) -> range:
        return self.layout.between(top - MARGIN, bottom - MARGIN)
