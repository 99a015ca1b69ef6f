"""The blocks of a message, and the interface of the parsers that produce them."""

from dataclasses import dataclass
from typing import Literal, Protocol

from markdown_it.token import Token

BlockKind = Literal["paragraph", "heading", "rule", "maths", "code", "table", "plain"]
SegmentKind = Literal["prose", "code", "table"]
Alignment = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Block:
    """A block. `text` is the Markdown inside a paragraph or heading, the LaTeX of `maths`, or the lines of `code` and
    `plain`. `nesting` has a letter per enclosing level, outermost first: q for a quote, l for a list.
    """

    kind: BlockKind
    text: str = ""
    nesting: str = ""
    level: int = 0
    """Heading level, 1 to 6; 0 for other blocks."""
    marker: str = ""
    """Marker before the first block of a list item: "•", "3.", "☐"."""
    language: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    """Markdown of each table cell; the first row is the header, unless the rows continue a table."""
    alignments: tuple[Alignment, ...] = ()
    continues: bool = False
    """True for further rows of the table above."""

    @property
    def segment(self) -> SegmentKind:
        """Kind of widget that shows the block. Prose blocks share one; each code block and table has its own."""
        if self.kind in ("code", "plain"):
            return "code"
        return "table" if self.kind == "table" else "prose"


PLAIN_LABEL = "Shown as plain text"


@dataclass(frozen=True, slots=True)
class TopBlock:
    """A top-level block, flattened. It starts in line `first_line` of the text."""

    first_line: int
    blocks: tuple[Block, ...]


class Parser(Protocol):
    """Parses text into blocks, and the text of a block into tokens."""

    def top_blocks(self, text: str) -> list[TopBlock]:
        """Return the blocks of `text`, which is sanitized already."""
        ...

    def inline(self, text: str) -> list[Token]:
        """Return the tokens of the text inside a paragraph, a heading or a cell."""
        ...
