"""Painting behind prose: backgrounds of inline code, bars of quotes, horizontal rules."""

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QTextBlock, QTextDocument, QTextLayout, QTextLine

from app.views.kit.palette import Palette
from app.views.transcript.block_writer import nesting_margin
from app.views.transcript.format_properties import INLINE_CODE, NESTING, RULE

_BAR = 3.0
"""Width of a quote bar, in pixels."""


def paint_behind(painter: QPainter, document: QTextDocument, clip: QRectF, colors: Palette) -> None:
    """Paint the decorations of `document` inside `clip`, in document coordinates."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for block, rect in _blocks_in(document, clip):
        nesting = block.blockFormat().stringProperty(NESTING)
        if "q" in nesting:
            _paint_bars(painter, document, block, rect, colors)
        if block.blockFormat().boolProperty(RULE):
            painter.fillRect(QRectF(rect.left(), rect.top(), document.textWidth() - rect.left(), 1), colors.border)
        painter.setBrush(colors.hover)
        for pill in _pills(block, rect):
            painter.drawRoundedRect(pill, 4, 4)


def _blocks_in(document: QTextDocument, clip: QRectF) -> Iterator[tuple[QTextBlock, QRectF]]:
    layout = document.documentLayout()
    position = layout.hitTest(QPointF(0, clip.top()), Qt.HitTestAccuracy.FuzzyHit)
    block = document.findBlock(max(position, 0))
    while block.isValid():
        rect = layout.blockBoundingRect(block)
        if rect.top() > clip.bottom():
            return
        yield block, rect
        block = block.next()


def _paint_bars(painter: QPainter, document: QTextDocument, block: QTextBlock, rect: QRectF, colors: Palette) -> None:
    """Paint a bar for each quote around the block, joined to the block above in the same quote."""
    nesting = block.blockFormat().stringProperty(NESTING)
    above = document.documentLayout().blockBoundingRect(block.previous())
    before = block.previous().blockFormat().stringProperty(NESTING) if block.previous().isValid() else ""
    em = float(document.defaultFont().pixelSize())
    painter.setBrush(colors.border)
    for depth, level in enumerate(nesting):
        if level == "q":
            continues = before[: depth + 1] == nesting[: depth + 1]
            top = above.bottom() - 1 if continues else rect.top()
            left_edge = nesting_margin(nesting[:depth], em)
            painter.drawRoundedRect(QRectF(left_edge, top, _BAR, rect.bottom() - top), 1.5, 1.5)


def _pills(block: QTextBlock, rect: QRectF) -> Iterator[QRectF]:
    """Yield the backgrounds of inline code; `rect` is that of the block, also inside a table cell."""
    layout = block.layout()
    origin = rect.topLeft() - layout.boundingRect().topLeft()
    for run in block.textFormats():
        if run.format.boolProperty(INLINE_CODE):
            metrics = QFontMetricsF(run.format.font())
            for line, left_edge, right in _pieces(layout, run.start, run.start + run.length):
                baseline = line.y() + line.ascent()
                top, height = baseline - metrics.ascent() - 1, metrics.ascent() + metrics.descent() + 2
                yield QRectF(left_edge - 2, top, right - left_edge + 4, height).translated(origin)


def _pieces(layout: QTextLayout, start: int, end: int) -> Iterator[tuple[QTextLine, float, float]]:
    """Yield each line with characters from `start` to `end`, and their left and right edge in pixels."""
    for number in range(layout.lineCount()):
        line = layout.lineAt(number)
        first = max(start, line.textStart())
        last = min(end, line.textStart() + line.textLength())
        if first < last:
            edges = (_x(line, first), _x(line, last))
            yield line, min(edges), max(edges)


def _x(line: QTextLine, position: int) -> float:
    x: Any = line.cursorToX(position)  # annotated as a number, but returned with its position
    return float(x[0] if isinstance(x, tuple) else x)
