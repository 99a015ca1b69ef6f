"""Draws LaTeX formulas with ziamath, caches them and puts them into lines of text. Knows nothing about Markdown.

ziamath is loaded in a thread with the first formula. A formula takes 1 to 20 ms, so only a few are drawn at once; the
others are drawn in idle slices, followed by `ready`.
"""

import logging
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, QSizeF, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QFontMetricsF,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)
from PySide6.QtSvg import QSvgRenderer

from app.views.transcript.format_properties import DISPLAY, LATEX
from app.views.transcript.idle_queue import IdleQueue
from app.views.transcript.latex import prepare
from app.views.transcript.library_loader import LibraryLoader

_LONGEST = 2_000
"""Characters. Longer formulas stay LaTeX."""
_DRAWN_AT = 100
"""Font size of the drawings, in pixels; they are scaled to that of the text."""
_COLOR = "#010203"
"""Placeholder for the text color in a drawing."""
_AT_ONCE_S = 0.008
_EMIT_EVERY_S = 0.1
"""Each `ready` makes all blocks with pending formulas write themselves again."""
_CACHE_SIZE = 2_000

_UNKNOWN_COMMAND = re.compile(r"\\[A-Za-z]{2}")
"""ziamath draws an unknown command as its name."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Formula:
    """A drawing. Lengths are in units of the font size; `ascent` is above the baseline and `descent` below."""

    svg: str
    width: float
    ascent: float
    descent: float
    _renderers: dict[str, QSvgRenderer] = field(default_factory=dict)

    def paint(self, painter: QPainter, rect: QRectF, color: QColor) -> None:
        """Draw the formula into `rect`, sharp at any scale."""
        name = color.name()
        if name not in self._renderers:
            self._renderers[name] = QSvgRenderer(QByteArray(self.svg.replace(_COLOR, name).encode()))
        self._renderers[name].render(painter, rect)


def draw_formula(latex: str, *, display: bool) -> Formula | None:
    """Return the drawing of `latex`, or None if ziamath cannot draw it completely."""
    if len(latex) > _LONGEST:
        return None
    try:
        # Importing takes 0.2 s and 20 MB, and most conversations have no formula.
        from ziamath.config import config  # noqa: PLC0415
        from ziamath.zmath import Latex  # noqa: PLC0415

        config.svg2 = False
        drawing = Latex(prepare(latex), size=_DRAWN_AT, color=_COLOR, inline=not display)
        svg: str = drawing.svg()
        unknown = _UNKNOWN_COMMAND.search(drawing.mathmlstr()) or _lacks_glyphs(drawing)
    except Exception as error:  # noqa: BLE001  its parsers raise many kinds; the LaTeX is shown instead
        _log.debug("cannot draw %r: %r", latex, error)
        return None
    if unknown:
        return None
    box = QSvgRenderer(QByteArray(svg.encode())).viewBoxF()
    ascent = -box.y() / _DRAWN_AT
    return Formula(svg, box.width() / _DRAWN_AT, ascent, box.height() / _DRAWN_AT - ascent)


def _lacks_glyphs(drawing: Any) -> bool:
    """Return True if the font has no glyph for a letter, and would draw a box."""
    letters = {letter for text in drawing.mathml.itertext() for letter in text}
    return any(
        not drawing.font.glyphindex(letter)
        for letter in letters
        if not letter.isspace() and unicodedata.category(letter) != "Cf"
    )


class Formulas(QObject):
    """Cache of the formulas of a transcript."""

    ready = Signal()

    def __init__(self, idle: IdleQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._idle = idle
        self._loading: LibraryLoader | None = None
        self._is_loaded = False
        self._cache: dict[tuple[str, bool], Formula | None] = {}
        self._pending: dict[tuple[str, bool], None] = {}
        self._spent_s = 0.0
        self._budget_timer = QTimer(self, interval=0, singleShot=True)
        self._budget_timer.timeout.connect(self._reset_budget)
        self.text_object = _FormulaObject(self)

    def is_pending(self, latex: str, *, display: bool) -> bool:
        """Return True if the formula is not drawn yet, and schedule its drawing."""
        key = (latex, display)
        if key in self._cache:
            return False
        if self._is_loaded and self._spent_s < _AT_ONCE_S and not self._pending:
            self._draw(key)
            self._budget_timer.start()
            return False
        if self._is_loaded and not self._pending:
            self._idle.add(self._draw_pending(), self, is_urgent=True)
        self._pending[key] = None
        self._load()
        return True

    def wait(self) -> None:
        """Block until ziamath is loaded, if a formula needs it."""
        if self._loading is not None:
            self._loading.wait()
            self._loaded()

    def _load(self) -> None:
        if self._loading is None:
            self._loading = LibraryLoader(lambda: draw_formula("x", display=False), self)
            self._loading.done.connect(self._loaded)
            self._loading.start()

    def _loaded(self) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self._idle.add(self._draw_pending(), self, is_urgent=True)

    def get(self, latex: str, *, display: bool) -> Formula | None:
        """Return the formula if it was drawn successfully."""
        return self._cache.get((latex, display))

    def _draw(self, key: tuple[str, bool]) -> None:
        start = perf_counter()
        if len(self._cache) >= _CACHE_SIZE:
            del self._cache[next(iter(self._cache))]
        self._cache[key] = draw_formula(key[0], display=key[1])
        self._spent_s += perf_counter() - start

    def _draw_pending(self) -> Iterator[None]:
        emitted = perf_counter()
        while self._pending:
            key = next(iter(self._pending))
            self._draw(key)
            del self._pending[key]
            if not self._pending or perf_counter() - emitted > _EMIT_EVERY_S:
                self.ready.emit()
                emitted = perf_counter()
            yield

    def _reset_budget(self) -> None:
        self._spent_s = 0.0


class _FormulaObject(QPyTextObject):
    """Puts formulas into lines. Qt aligns the bottom of an object with the baseline or the descent of the text, or its
    middle a quarter of an x-height above the baseline; the rectangle is chosen so that the baselines match.
    """

    def __init__(self, formulas: Formulas) -> None:
        super().__init__(formulas)
        self._formulas = formulas

    def intrinsicSize(self, document: QTextDocument, _position: int, format: QTextFormat) -> QSizeF:
        text = format.toCharFormat()
        formula = self._formula(text)
        if formula is None:
            return QSizeF(0, 0)
        scale = _scale(formula, text, document)
        return QSizeF(formula.width * scale, _height(formula, text, scale))

    def drawObject(
        self, painter: QPainter, rect: QRectF | QRect, document: QTextDocument, _position: int, format: QTextFormat
    ) -> None:
        text = format.toCharFormat()
        formula = self._formula(text)
        if formula is None:
            return
        rect, scale = QRectF(rect), _scale(formula, text, document)
        baseline = rect.top() + (rect.height() + _lift(text)) / 2
        if text.verticalAlignment() != QTextCharFormat.VerticalAlignment.AlignMiddle:
            baseline = rect.bottom() - QFontMetrics(text.font()).descent()
        top = baseline - formula.ascent * scale
        height = (formula.ascent + formula.descent) * scale
        formula.paint(painter, QRectF(rect.left(), top, rect.width(), height), text.foreground().color())

    def _formula(self, format: QTextCharFormat) -> Formula | None:
        return self._formulas.get(str(format.property(LATEX)), display=bool(format.property(DISPLAY)))


def set_alignment(format: QTextCharFormat, formula: Formula) -> None:
    """Align the formula with the baseline, or by its middle if it reaches lower than text does."""
    alignment = QTextCharFormat.VerticalAlignment
    is_deep = formula.descent * format.font().pixelSize() > QFontMetrics(format.font()).descent() + 2
    format.setVerticalAlignment(alignment.AlignMiddle if is_deep else alignment.AlignBaseline)


def _scale(formula: Formula, format: QTextCharFormat, document: QTextDocument) -> float:
    """Return pixels per unit: the font size, or less if the formula is wider than the page."""
    size = float(format.font().pixelSize())
    available = document.textWidth() - 8
    return min(size, available / formula.width) if available > 0 else size


def _height(formula: Formula, format: QTextCharFormat, scale: float) -> float:
    if format.verticalAlignment() == QTextCharFormat.VerticalAlignment.AlignMiddle:
        return max(2 * formula.ascent * scale - _lift(format), 2 * formula.descent * scale + _lift(format))
    # At least as high as text, so that the baselines of two table cells match.
    metrics = QFontMetrics(format.font())
    return max(formula.ascent * scale, metrics.ascent()) + metrics.descent()


def _lift(format: QTextCharFormat) -> float:
    """Return how many pixels higher above the baseline than below it Qt puts a centered object."""
    return QFontMetricsF(format.font()).xHeight() / 2
