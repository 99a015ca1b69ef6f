"""What a message is made of: blocks, each with the nesting it stands in; and what a parser of them can do."""

from dataclasses import dataclass
from typing import Literal, Protocol

from markdown_it.token import Token

BlockKind = Literal["paragraph", "heading", "rule", "maths", "code", "table", "plain"]
SegmentKind = Literal["prose", "code", "table"]
Alignment = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `text` is the Markdown inside a paragraph or heading, the LaTeX of `maths`, the lines of `code` and
    `plain`. `nesting` has a letter for each level around it, outermost first: q for a quote, l for a list.
    """

    kind: BlockKind
    text: str = ""
    nesting: str = ""
    level: int = 0
    """Of a heading: 1 to 6."""
    marker: str = ""
    """What stands before the first block of a list item: "•", "3.", "☐"."""
    language: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    """Of a table: the Markdown in each cell; the first row is the header."""
    alignments: tuple[Alignment, ...] = ()

    @property
    def segment(self) -> SegmentKind:
        """What draws it: prose flows together, code and tables have a widget each."""
        if self.kind in ("code", "plain"):
            return "code"
        return "table" if self.kind == "table" else "prose"


PLAIN_LABEL = "Shown as plain text"


@dataclass(frozen=True, slots=True)
class TopBlock:
    """A block that stands in no other, as what is shown of it. It begins in line `first_line` of the text."""

    first_line: int
    blocks: tuple[Block, ...]


class Parser(Protocol):
    """Knows what the marks in a text mean."""

    def top_blocks(self, text: str) -> list[TopBlock]:
        """Return the blocks of `text`, which is harmless already."""
        ...

    def inline(self, text: str) -> list[Token]:
        """Return the tokens of what stands inside a paragraph, a heading or a cell."""
        ...
