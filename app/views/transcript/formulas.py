"""Formulas: LaTeX drawn by ziamath, kept, and set into lines of text. Knows no Markdown.

ziamath is loaded, aside, with the first formula. A formula takes it 1 to 20 ms, so only a few are made at once; the
others wait for idle slices, and `ready` says that they have come.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

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
from app.views.transcript.idle import IdleQueue
from app.views.transcript.library_loading import Aside

_LONGEST = 2_000
"""Characters. Longer ones stay LaTeX."""
_DRAWN_AT = 100
"""Font size, in pixels, at which formulas are drawn; they are scaled to that of the text."""
_COLOUR = "#010203"
"""Stands for the colour of the text in the drawing."""
_AT_ONCE_S = 0.008
_TELL_EVERY_S = 0.1
"""Every time that `ready` is told, all blocks that wait for a formula are written again."""
_MOST_KEPT = 2_000

_UNKNOWN_COMMAND = re.compile(r"\\[A-Za-z]{2}")
"""ziamath draws a command that it does not know as its name."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Formula:
    """A drawing. Lengths are in units of the font size; `ascent` goes up from the baseline and `descent` down."""

    svg: str
    width: float
    ascent: float
    descent: float
    _renderers: dict[str, QSvgRenderer] = field(default_factory=dict)

    def paint(self, painter: QPainter, rect: QRectF, colour: QColor) -> None:
        """Draw it into `rect`, sharp at any scale."""
        name = colour.name()
        if name not in self._renderers:
            self._renderers[name] = QSvgRenderer(QByteArray(self.svg.replace(_COLOUR, name).encode()))
        self._renderers[name].render(painter, rect)


def drawn(latex: str, *, display: bool) -> Formula | None:
    """Return the drawing of `latex`, or None if ziamath cannot draw all of it."""
    if len(latex) > _LONGEST:
        return None
    try:
        # It takes 0.2 s and 20 MB, and most conversations have no formula.
        from ziamath.config import config  # noqa: PLC0415
        from ziamath.zmath import Latex  # noqa: PLC0415

        config.svg2 = False
        made = Latex(latex, size=_DRAWN_AT, color=_COLOUR, inline=not display)
        svg: str = made.svg()
        unknown = _UNKNOWN_COMMAND.search(made.mathmlstr())
    except Exception as error:  # noqa: BLE001  its parsers let through whatever they stumble over; LaTeX is shown then
        _log.debug("No drawing of %r: %r", latex, error)
        return None
    if unknown:
        return None
    box = QSvgRenderer(QByteArray(svg.encode())).viewBoxF()
    ascent = -box.y() / _DRAWN_AT
    return Formula(svg, box.width() / _DRAWN_AT, ascent, box.height() / _DRAWN_AT - ascent)


class Formulas(QObject):
    """All formulas of a transcript."""

    ready = Signal()

    def __init__(self, idle: IdleQueue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._idle = idle
        self._loading: Aside | None = None
        self._is_loaded = False
        self._kept: dict[tuple[str, bool], Formula | None] = {}
        self._waiting: dict[tuple[str, bool], None] = {}
        self._spent_s = 0.0
        self._forgive = QTimer(self, interval=0, singleShot=True)
        self._forgive.timeout.connect(self._start_anew)
        self.text_object = _FormulaObject(self)

    def is_waiting(self, latex: str, *, display: bool) -> bool:
        """Tell whether the formula is still to be made. Asking for it is ordering it."""
        key = (latex, display)
        if key in self._kept:
            return False
        if self._is_loaded and self._spent_s < _AT_ONCE_S and not self._waiting:
            self._make(key)
            self._forgive.start()
            return False
        if self._is_loaded and not self._waiting:
            self._idle.add(self._make_waiting(), self, is_urgent=True)
        self._waiting[key] = None
        self._load()
        return True

    def wait(self) -> None:
        """Return when ziamath is loaded, if it was asked for."""
        if self._loading is not None:
            self._loading.wait()
            self._loaded()

    def _load(self) -> None:
        if self._loading is None:
            self._loading = Aside(lambda: drawn("x", display=False), self)
            self._loading.done.connect(self._loaded)
            self._loading.start()

    def _loaded(self) -> None:
        if not self._is_loaded:
            self._is_loaded = True
            self._idle.add(self._make_waiting(), self, is_urgent=True)

    def get(self, latex: str, *, display: bool) -> Formula | None:
        """Return the formula if it has been made and could be."""
        return self._kept.get((latex, display))

    def _make(self, key: tuple[str, bool]) -> None:
        start = perf_counter()
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = drawn(key[0], display=key[1])
        self._spent_s += perf_counter() - start

    def _make_waiting(self) -> Iterator[None]:
        told = perf_counter()
        while self._waiting:
            key = next(iter(self._waiting))
            self._make(key)
            del self._waiting[key]
            if not self._waiting or perf_counter() - told > _TELL_EVERY_S:
                self.ready.emit()
                told = perf_counter()
            yield

    def _start_anew(self) -> None:
        self._spent_s = 0.0


class _FormulaObject(QPyTextObject):
    """Sets formulas into lines. Qt puts the bottom of an object either on the baseline or on the descent of the text,
    or its middle a quarter of an x-height above the baseline; the rectangle is chosen so that one of these makes the
    baselines meet.
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
    """Choose how the formula sits in its line: as text does where it hangs down no further, else by its middle."""
    alignment = QTextCharFormat.VerticalAlignment
    hangs = formula.descent * format.font().pixelSize() > QFontMetrics(format.font()).descent() + 2
    format.setVerticalAlignment(alignment.AlignMiddle if hangs else alignment.AlignBaseline)


def _scale(formula: Formula, format: QTextCharFormat, document: QTextDocument) -> float:
    """Return pixels per unit: the font size, less where the formula is wider than the page."""
    size = float(format.font().pixelSize())
    room = document.textWidth() - 8
    return min(size, room / formula.width) if room > 0 else size


def _height(formula: Formula, format: QTextCharFormat, scale: float) -> float:
    if format.verticalAlignment() == QTextCharFormat.VerticalAlignment.AlignMiddle:
        return max(2 * formula.ascent * scale - _lift(format), 2 * formula.descent * scale + _lift(format))
    return formula.ascent * scale + QFontMetrics(format.font()).descent()


def _lift(format: QTextCharFormat) -> float:
    """Return how much more of a centred object Qt puts above the baseline than below it."""
    return QFontMetricsF(format.font()).xHeight() / 2
