"""Incremental parsing of a growing text. Only the part that can still change is parsed again. Imports no Qt.

A top-level block is settled once the first two lines of the next one are complete (a table needs its second line).
Of a long table, the parts with all their rows are settled too; the rest is then parsed with the lines of the header.
Later text cannot change a settled block; the tests check this for arbitrary chunks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.views.transcript.blocks import Block, Parser, TopBlock
from app.views.transcript.safe_text import sanitize

LONGEST_RICH = 120_000
"""Characters of a message that are parsed, about 30,000 tokens; the rest is plain text."""


@dataclass(frozen=True, slots=True)
class BlockChange:
    """The first `unchanged` blocks stay; `blocks` follow them."""

    unchanged: int
    blocks: tuple[Block, ...]


class BlockStream:
    """Takes a text in pieces, and returns the blocks that change with each."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._settled = 0
        self._rich_length = 0
        self._tail = ""
        self._head = ""
        """Header of the table that the tail continues."""
        self._rest = ""

    @property
    def is_rich(self) -> bool:
        """True while the text is parsed, False beyond the limit."""
        return not self._rest

    def append(self, text: str) -> BlockChange:
        """Append `text`, and return the change."""
        self._extend(sanitize(text))
        unchanged = self._settled
        tops = self._top_blocks()
        blocks = [block for top in tops for block in top.blocks]
        if self._rest:
            blocks.append(Block("plain", self._rest))
        else:
            self._settle(tops)
        return BlockChange(unchanged, tuple(blocks))

    def _extend(self, text: str) -> None:
        if self._rest:
            self._rest += text
            return
        self._tail += text
        self._rich_length += len(text)
        excess = self._rich_length - LONGEST_RICH
        if excess > 0:
            cut = self._tail.rfind("\n", 0, len(self._tail) - excess) + 1
            self._tail, self._rest = self._tail[:cut], self._tail[cut:]

    def _top_blocks(self) -> list[TopBlock]:
        """Parse the tail; lines are counted from its start."""
        tops = self._parser.top_blocks(self._head + self._tail)
        if not self._head:
            return tops
        table, *others = tops
        first, *more = table.blocks
        rows = first.rows[1:]
        parts = (replace(first, rows=rows, continues=True), *more) if rows else ()
        lines = self._head.count("\n")
        return [TopBlock(0, parts), *(replace(top, first_line=top.first_line - lines) for top in others)]

    def _settle(self, tops: Sequence[TopBlock]) -> None:
        complete = self._tail.count("\n")
        settled = next((index for index in reversed(range(len(tops))) if tops[index].first_line + 1 < complete), 0)
        if settled:
            self._settled += sum(len(top.blocks) for top in tops[:settled])
            self._tail, self._head = _from_line(self._tail, tops[settled].first_line), ""
            tops = [replace(top, first_line=top.first_line - tops[settled].first_line) for top in tops[settled:]]
        if tops and len(tops[0].blocks) > 1 and tops[0].blocks[-1].continues and not tops[0].blocks[0].nesting:
            self._settle_parts(tops[0])

    def _settle_parts(self, table: TopBlock) -> None:
        """Settle all parts of a table but the last one."""
        header = 0 if self._head else 2
        parts = table.blocks[:-1]
        rows = sum(len(part.rows) for part in parts) - (header > 0)
        self._settled += len(parts)
        self._head = self._head or _until_line(self._tail, table.first_line + header)
        self._tail = _from_line(self._tail, table.first_line + header + rows)


def _from_line(text: str, number: int) -> str:
    position = 0
    for _ in range(number):
        position = text.index("\n", position) + 1
    return text[position:]


def _until_line(text: str, number: int) -> str:
    return text[: len(text) - len(_from_line(text, number))]
