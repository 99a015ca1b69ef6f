"""Paragraphs, headings, lists and quotes that follow each other, in one document."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QWidget

from app.views.kit.theme import Theme
from app.views.transcript.blocks import Block
from app.views.transcript.formulas import Formulas
from app.views.transcript.rich_text import RichText
from app.views.transcript.writer import Writer


class Prose(RichText):
    """Shows blocks, each in a QTextBlock of the same number, and writes only those that have changed."""

    reflowed = Signal()  # formulas have come, and the height may be another

    def __init__(self, theme: Theme, formulas: Formulas, writer: Writer, parent: QWidget) -> None:
        super().__init__(theme, formulas, parent)
        self._writer = writer
        self._blocks: list[Block] = []
        self._waiting: set[int] = set()
        formulas.ready.connect(self._write_waiting)

    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Show `blocks` in place of what is there."""
        first = _first_difference(self._blocks, blocks)
        self._blocks[first:] = blocks[first:]
        self._write_from(first)

    def restyle(self) -> None:
        """Write everything anew in the colours and fonts of the theme."""
        self.dress()
        self._write_from(0)

    def _write_from(self, first: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        self._cut(cursor, first)
        for number in range(first, len(self._blocks)):
            if number:
                cursor.insertBlock(QTextBlockFormat(), QTextCharFormat())
            self._write(cursor, number)
        cursor.endEditBlock()
        self._accept_tab(first)

    def _cut(self, cursor: QTextCursor, first: int) -> None:
        """Remove the blocks from `first` on and leave `cursor` at the end of those that stay."""
        self._waiting = {number for number in self._waiting if number < first}
        last = self.document().findBlockByNumber(max(first - 1, 0))
        block_format, char_format = last.blockFormat(), last.charFormat()
        if first:
            cursor.setPosition(_end_of(last))
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if first and last.length() == 1:
            # An empty block takes the formats of the one that is removed behind it.
            cursor.setBlockFormat(block_format)
            cursor.setBlockCharFormat(char_format)

    def _write(self, cursor: QTextCursor, number: int) -> None:
        previous = self._blocks[number - 1] if number else None
        if self._writer.write(cursor, self._blocks[number], previous):
            self._waiting.add(number)
        else:
            self._waiting.discard(number)

    def _write_waiting(self) -> None:
        waiting = sorted(self._waiting)
        for number in waiting:
            block = self.document().findBlockByNumber(number)
            cursor = QTextCursor(block)
            cursor.beginEditBlock()
            cursor.setPosition(_end_of(block), QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            self._write(cursor, number)
            cursor.endEditBlock()
        if waiting:
            self.reflowed.emit()

    def _accept_tab(self, first: int) -> None:
        """Take the focus by keyboard too once there is a link to go to."""
        if any("](" in block.text or "://" in block.text or "<" in block.text for block in self._blocks[first:]):
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _end_of(block: QTextBlock) -> int:
    return block.position() + block.length() - 1


def _first_difference(old: Sequence[Block], new: Sequence[Block]) -> int:
    same = 0
    while same < min(len(old), len(new)) and (old[same] is new[same] or old[same] == new[same]):
        same += 1
    return same
