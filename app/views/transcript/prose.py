"""Consecutive paragraphs, headings, lists and quotes in one document."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QWidget

from app.views.kit.theme import Theme
from app.views.transcript.block_writer import BlockWriter
from app.views.transcript.blocks import Block
from app.views.transcript.formulas import Formulas
from app.views.transcript.rich_text import RichText


class Prose(RichText):
    """Shows blocks, each in the QTextBlock of the same number, and rewrites only those that change."""

    reflowed = Signal()  # formulas were drawn, so the height may have changed

    def __init__(self, theme: Theme, formulas: Formulas, writer: BlockWriter, parent: QWidget) -> None:
        super().__init__(theme, formulas, parent)
        self._writer = writer
        self._blocks: list[Block] = []
        self._pending: set[int] = set()
        formulas.ready.connect(self._write_pending)

    def show_blocks(self, blocks: Sequence[Block]) -> None:
        """Replace the blocks."""
        first = _first_difference(self._blocks, blocks)
        self._blocks[first:] = blocks[first:]
        self._write_from(first)

    def restyle(self) -> None:
        """Rewrite everything in the colors and fonts of the theme."""
        self.apply_theme()
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
        """Remove the blocks from `first` on, and leave `cursor` at the end of the others."""
        self._pending = {number for number in self._pending if number < first}
        last = self.document().findBlockByNumber(max(first - 1, 0))
        block_format, char_format = last.blockFormat(), last.charFormat()
        if first:
            cursor.setPosition(_end_of(last))
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        if first and last.length() == 1:
            # An empty block takes over the formats of the removed block after it.
            cursor.setBlockFormat(block_format)
            cursor.setBlockCharFormat(char_format)

    def _write(self, cursor: QTextCursor, number: int) -> None:
        previous = self._blocks[number - 1] if number else None
        if self._writer.write(cursor, self._blocks[number], previous):
            self._pending.add(number)
        else:
            self._pending.discard(number)

    def _write_pending(self) -> None:
        pending = sorted(self._pending)
        for number in pending:
            block = self.document().findBlockByNumber(number)
            cursor = QTextCursor(block)
            cursor.beginEditBlock()
            cursor.setPosition(_end_of(block), QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            self._write(cursor, number)
            cursor.endEditBlock()
        if pending:
            self.reflowed.emit()

    def _accept_tab(self, first: int) -> None:
        """Accept keyboard focus once there is a link to reach."""
        if any("](" in block.text or "://" in block.text or "<" in block.text for block in self._blocks[first:]):
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _end_of(block: QTextBlock) -> int:
    return block.position() + block.length() - 1


def _first_difference(old: Sequence[Block], new: Sequence[Block]) -> int:
    same = 0
    while same < min(len(old), len(new)) and (old[same] is new[same] or old[same] == new[same]):
        same += 1
    return same
