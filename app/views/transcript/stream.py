"""A text that grows, as blocks. Only what can still change is parsed again. Knows no Qt.

A block of the outermost level is settled as soon as the next one has begun for certain: its first two lines are there
(a table needs its second). Nothing that comes later can change a settled block; `tests` hold that for any chunking.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.views.transcript.blocks import Block, Parser, TopBlock
from app.views.transcript.safe_text import harmless

LONGEST_RICH = 120_000
"""Characters of one message that are laid out; the rest is plain text. About 30,000 tokens."""


@dataclass(frozen=True, slots=True)
class Change:
    """The first `kept` blocks stay as they are, and `blocks` follow them."""

    kept: int
    blocks: tuple[Block, ...]


class BlockStream:
    """Takes a text in pieces and says which blocks have changed."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._settled = 0
        self._rich_length = 0
        self._tail = ""
        self._rest = ""

    @property
    def is_rich(self) -> bool:
        """Whether what comes next is laid out; false when it is beyond the bound."""
        return not self._rest

    def append(self, text: str) -> Change:
        """Add `text` to the end."""
        self._take(harmless(text))
        kept = self._settled
        tops = self._parser.top_blocks(self._tail)
        blocks = [block for top in tops for block in top.blocks]
        if self._rest:
            blocks.append(Block("plain", self._rest))
        else:
            self._settle(tops)
        return Change(kept, tuple(blocks))

    def _take(self, text: str) -> None:
        if self._rest:
            self._rest += text
            return
        self._tail += text
        self._rich_length += len(text)
        excess = self._rich_length - LONGEST_RICH
        if excess > 0:
            cut = self._tail.rfind("\n", 0, len(self._tail) - excess) + 1
            self._tail, self._rest = self._tail[:cut], self._tail[cut:]

    def _settle(self, tops: Sequence[TopBlock]) -> None:
        complete = self._tail.count("\n")
        certain = next((index for index in reversed(range(len(tops))) if tops[index].first_line + 1 < complete), 0)
        if not certain:
            return
        self._settled += sum(len(top.blocks) for top in tops[:certain])
        self._tail = _from_line(self._tail, tops[certain].first_line)


def _from_line(text: str, number: int) -> str:
    position = 0
    for _ in range(number):
        position = text.index("\n", position) + 1
    return text[position:]
