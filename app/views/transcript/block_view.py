"""A growing text as a column of widgets: prose, code blocks and tables."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.views.transcript.block_stream import BlockStream
from app.views.transcript.block_writer import BlockWriter, Tone, nesting_margin
from app.views.transcript.blocks import Block, Parser, SegmentKind
from app.views.transcript.code_block import CodeBlock
from app.views.transcript.prose import Prose
from app.views.transcript.rich_text import RichText
from app.views.transcript.services import TranscriptServices
from app.views.transcript.table import Table

_PIECE, _PLAIN_PIECE = 4_000, 60_000
"""Characters that are laid out per step: a few milliseconds."""

Part = Prose | CodeBlock | Table


@dataclass(slots=True)
class _Segment:
    kind: SegmentKind
    first: int
    """Index of its first block."""
    part: Part
    nesting: str = ""
    top: int = 0
    height: int = -1
    """In pixels; -1 means not measured yet."""
    continues: bool = False
    """True for further rows of the table above."""


class BlockView(QWidget):
    """Shows a text as `parser` reads it, in the color of `tone`."""

    reflowed = Signal()  # the height may have changed without new text
    link_clicked = Signal(str)
    selected = Signal(object)  # the RichText with a new selection

    def __init__(
        self, services: TranscriptServices, parser: Parser, parent: QWidget, *, tone: Tone = "text", name: str = "Text"
    ) -> None:
        super().__init__(parent)
        self.resize(parent.width(), 0)
        self._services = services
        self._parser = parser
        self._name = name
        self._writer = BlockWriter(services.theme, services.formulas, parser.inline, tone)
        self._stream = BlockStream(parser)
        self._blocks: list[Block] = []
        self._segments: list[_Segment] = []
        self._width = -1
        self._queued = ""
        self._job: Iterator[None] | None = None

    @property
    def blocks(self) -> Sequence[Block]:
        """The blocks on display."""
        return self._blocks

    @property
    def texts(self) -> Iterator[RichText]:
        """Yield the selectable texts, from the top."""
        for segment in self._segments:
            yield segment.part.text if isinstance(segment.part, CodeBlock) else segment.part

    def append(self, text: str) -> None:
        """Append `text`; the height changes. The rest of a long text is appended in idle slices."""
        self._queued += text
        if self._job is None:
            self._append_piece()
            if self._queued:
                self._job = self._append_pieces()
                self._services.idle.add(self._job, self)

    def _append_pieces(self) -> Iterator[None]:
        while self._queued:
            self._append_piece()
            self.reflowed.emit()
            yield
        self._job = None

    def _append_piece(self) -> None:
        size = _PIECE if self._stream.is_rich else _PLAIN_PIECE
        piece, self._queued = self._queued[:size], self._queued[size:]
        change = self._stream.append(piece)
        self._blocks[change.unchanged :] = change.blocks
        number = self._segment_of(change.unchanged)
        start = self._segments[number].first if number < len(self._segments) else len(self._blocks)
        start = 0 if not self._segments else start
        for kind, first, blocks in _runs(self._blocks, start):
            self._show(number, kind, first, blocks)
            number += 1
        self._drop_from(number)

    def clear(self) -> None:
        """Remove the text."""
        if self._job is not None:
            self._services.idle.drop(self._job)
        self._job, self._queued = None, ""
        self._stream = BlockStream(self._parser)
        self._blocks = []
        self._drop_from(0)

    def restyle(self) -> None:
        """Apply the colors and fonts of the theme."""
        self._writer.refresh()
        for segment in self._segments:
            segment.part.restyle()
            segment.height = -1

    def height_for(self, width: int) -> int:
        """Arrange the segments for `width`, and return their height. Only changed segments are measured."""
        is_stale = width != self._width
        self._width = width
        top = bottom = 0
        gap = round(self._writer.em * 0.9)
        for segment in self._segments:
            top = bottom + gap if bottom and not segment.continues else bottom
            if is_stale or segment.height < 0 or segment.top != top:
                self._place(segment, top, width, measure=is_stale or segment.height < 0)
            bottom = top + segment.height
        return bottom

    def natural_width(self, limit: int) -> int:
        """Return the width of the text without wrapping, at most `limit`."""
        widest = 0
        for segment in self._segments:
            if isinstance(segment.part, CodeBlock):
                return limit
            widest = max(widest, segment.part.natural_width(limit))
            segment.height = -1
        return widest

    def _place(self, segment: _Segment, top: int, width: int, *, measure: bool) -> None:
        indent = round(nesting_margin(segment.nesting, self._writer.em)) if segment.kind != "prose" else 0
        available = max(width - indent, 40)
        if measure:
            segment.height = segment.part.height_for(available)
        segment.top = top
        actual = segment.part.width_for(available) if isinstance(segment.part, Table) else available
        segment.part.setGeometry(indent, top, actual, segment.height)

    def _segment_of(self, block: int) -> int:
        """Return the index of the segment that contains `block`, or that `block` would extend."""
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
        segment.continues = blocks[0].continues
        previous = self._segments[number - 1].part if segment.continues else None
        if isinstance(segment.part, Table) and isinstance(previous, Table):
            segment.part.continue_table(previous)
        if isinstance(segment.part, Prose):
            segment.part.show_blocks(blocks)
        else:
            segment.part.show_block(blocks[0])

    def _new_part(self, kind: SegmentKind) -> Part:
        services = self._services
        part: Part
        if kind == "prose":
            part = Prose(services.theme, services.formulas, self._writer, self)
            part.setAccessibleName(self._name)
        elif kind == "code":
            part = CodeBlock(services, self)
        else:
            part = Table(services.theme, services.formulas, self._writer, self)
        text = part.text if isinstance(part, CodeBlock) else part
        text.link_clicked.connect(self.link_clicked)
        text.selectionChanged.connect(lambda: self.selected.emit(text))
        part.reflowed.connect(self._reflow_handler(part))
        part.show()
        return part

    def _reflow_handler(self, part: Part) -> Callable[[], None]:
        def measure_again() -> None:
            is_stale = False
            for segment in self._segments:
                is_stale = segment.part is part or (is_stale and segment.continues)
                segment.height = -1 if is_stale else segment.height
            self.reflowed.emit()

        return measure_again

    def _drop_from(self, number: int) -> None:
        for segment in self._segments[number:]:
            segment.part.hide()
            segment.part.deleteLater()
        del self._segments[number:]
        if self._segments and isinstance(last := self._segments[-1].part, Table):
            last.set_continued(continued=False)


def _runs(blocks: Sequence[Block], start: int) -> Iterator[tuple[SegmentKind, int, list[Block]]]:
    """Yield kind, index of the first block, and blocks of each segment from block `start` on."""
    for kind, members in groupby(range(start, len(blocks)), key=lambda number: blocks[number].segment):
        numbers = list(members)
        if kind == "prose":
            yield kind, numbers[0], [blocks[number] for number in numbers]
        else:
            for number in numbers:
                yield kind, number, [blocks[number]]
