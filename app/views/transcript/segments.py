"""A text that grows, as a column of widgets: prose, code blocks, tables. Laid out by hand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.views.transcript.blocks import Block, Parser, SegmentKind
from app.views.transcript.code_block import CodeBlock
from app.views.transcript.kit import Kit
from app.views.transcript.prose import Prose
from app.views.transcript.rich_text import RichText
from app.views.transcript.stream import BlockStream
from app.views.transcript.table import Table
from app.views.transcript.writer import Tone, Writer, nesting_margin

_PIECE, _PLAIN_PIECE = 4_000, 60_000
"""Characters that are laid out at once: a few milliseconds."""

Part = Prose | CodeBlock | Table


@dataclass(slots=True)
class _Segment:
    kind: SegmentKind
    first: int
    """Number of its first block."""
    part: Part
    nesting: str = ""
    top: int = 0
    height: int = -1
    """In pixels; -1 when it has to be asked for anew."""


class Segments(QWidget):
    """Shows a text. `parser` says what its marks mean, `tone` in which colour it is written."""

    reflowed = Signal()  # the height may be another, though no text was added
    link_clicked = Signal(str)
    selected = Signal(object)  # the RichText in which a selection was made

    def __init__(self, kit: Kit, parser: Parser, parent: QWidget, *, tone: Tone = "text", name: str = "Text") -> None:
        super().__init__(parent)
        self.resize(parent.width(), 0)
        self._kit = kit
        self._parser = parser
        self._name = name
        self._writer = Writer(kit.theme, kit.formulas, parser.inline, tone)
        self._stream = BlockStream(parser)
        self._blocks: list[Block] = []
        self._segments: list[_Segment] = []
        self._width = -1
        self._waiting = ""
        self._job: Iterator[None] | None = None

    @property
    def blocks(self) -> Sequence[Block]:
        """What is shown."""
        return self._blocks

    @property
    def texts(self) -> Iterator[RichText]:
        """The texts to select in, from the top."""
        for segment in self._segments:
            yield segment.part.text if isinstance(segment.part, CodeBlock) else segment.part

    def append(self, text: str) -> None:
        """Add `text` to the end; `height_for` tells what has become of it. Of a long one, all but the beginning is
        added in idle slices.
        """
        self._waiting += text
        if self._job is None:
            self._take_piece()
            if self._waiting:
                self._job = self._take_pieces()
                self._kit.idle.add(self._job, self)

    def _take_pieces(self) -> Iterator[None]:
        while self._waiting:
            self._take_piece()
            self.reflowed.emit()
            yield
        self._job = None

    def _take_piece(self) -> None:
        size = _PIECE if self._stream.is_rich else _PLAIN_PIECE
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        change = self._stream.append(piece)
        self._blocks[change.kept :] = change.blocks
        number = self._segment_of(change.kept)
        start = self._segments[number].first if number < len(self._segments) else len(self._blocks)
        start = 0 if not self._segments else start
        for kind, first, blocks in _runs(self._blocks, start):
            self._show(number, kind, first, blocks)
            number += 1
        self._drop_from(number)

    def clear(self) -> None:
        """Forget the text."""
        if self._job is not None:
            self._kit.idle.drop(self._job)
        self._job, self._waiting = None, ""
        self._stream = BlockStream(self._parser)
        self._blocks = []
        self._drop_from(0)

    def restyle(self) -> None:
        """Take colours, fonts and sizes from the theme."""
        self._writer.renew()
        for segment in self._segments:
            segment.part.restyle()
            segment.height = -1

    def height_for(self, width: int) -> int:
        """Return the height for `width`, and lay the segments out. Only what has changed costs time."""
        stale = width != self._width
        self._width = width
        top = 0
        gap = round(self._writer.em * 0.9)
        for segment in self._segments:
            if stale or segment.height < 0 or segment.top != top:
                self._place(segment, top, width, measure=stale or segment.height < 0)
            top += segment.height + gap
        return max(top - gap, 0)

    def natural_width(self, most: int) -> int:
        """Return the width of the text where nothing wraps, at most `most`."""
        widest = 0
        for segment in self._segments:
            if isinstance(segment.part, CodeBlock):
                return most
            widest = max(widest, segment.part.natural_width(most))
            segment.height = -1
        return widest

    def _place(self, segment: _Segment, top: int, width: int, *, measure: bool) -> None:
        left = round(nesting_margin(segment.nesting, self._writer.em)) if segment.kind != "prose" else 0
        room = max(width - left, 40)
        if measure:
            segment.height = segment.part.height_for(room)
        segment.top = top
        taken = segment.part.width_for(room) if isinstance(segment.part, Table) else room
        segment.part.setGeometry(left, top, taken, segment.height)

    def _segment_of(self, block: int) -> int:
        """Return the number of the segment that holds `block`, or whose text goes on with it."""
        number = len(self._segments)
        while number and self._segments[number - 1].first >= block:
            number -= 1
        return max(number - 1, 0)

    def _show(self, number: int, kind: SegmentKind, first: int, blocks: list[Block]) -> None:
        if number == len(self._segments) or self._segments[number].kind != kind:
            self._drop_from(number)
            self._segments.append(_Segment(kind, first, self._new_part(kind)))
        segment = self._segments[number]
        segment.first, segment.height, segment.nesting = first, -1, blocks[0].nesting
        if isinstance(segment.part, Prose):
            segment.part.show_blocks(blocks)
        else:
            segment.part.show_block(blocks[0])

    def _new_part(self, kind: SegmentKind) -> Part:
        kit = self._kit
        part: Part
        if kind == "prose":
            part = Prose(kit.theme, kit.formulas, self._writer, self)
            part.setAccessibleName(self._name)
        elif kind == "code":
            part = CodeBlock(kit, self)
        else:
            part = Table(kit.theme, kit.formulas, self._writer, self)
        text = part.text if isinstance(part, CodeBlock) else part
        text.link_clicked.connect(self.link_clicked)
        text.selectionChanged.connect(lambda: self.selected.emit(text))
        part.reflowed.connect(self._reflow(part))
        part.show()
        return part

    def _reflow(self, part: Part) -> Callable[[], None]:
        def measure_again() -> None:
            for segment in self._segments:
                if segment.part is part:
                    segment.height = -1
            self.reflowed.emit()

        return measure_again

    def _drop_from(self, number: int) -> None:
        for segment in self._segments[number:]:
            segment.part.hide()
            segment.part.deleteLater()
        del self._segments[number:]


def _runs(blocks: Sequence[Block], start: int) -> Iterator[tuple[SegmentKind, int, list[Block]]]:
    """Yield kind, first block's number and blocks of each segment from block `start` on."""
    for kind, members in groupby(range(start, len(blocks)), key=lambda number: blocks[number].segment):
        numbers = list(members)
        if kind == "prose":
            yield kind, numbers[0], [blocks[number] for number in numbers]
        else:
            for number in numbers:
                yield kind, number, [blocks[number]]
