"""A text as paragraphs of spans: which letters belong to which token, with signs for those that cannot be seen.

Lengths are counted in UTF-16, as Qt does. It does not know where anything is on the screen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mlx_engine.measure.results.messages import TokensRead
from mlx_engine.measure.results.safe_characters import visible, visible_end

BEFORE = -1
"""The cell of what is read but not scored."""
_NEW_LINE = "↵"
_LONGEST_TOKEN, _LONGEST_BEFORE = 400, 40_000
"""Characters: a tokenizer may have words of any length, but nobody reads them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is tinted as one: a token, or several that make one character together."""

    first: int
    last: int

    @property
    def tokens(self) -> range:
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a paragraph that belongs to a cell."""

    start: int
    end: int
    cell: int


@dataclass(frozen=True, slots=True)
class Blank:
    """White space at a place of a paragraph, in a token that has nothing else."""

    at: int
    is_tab: bool


@dataclass(slots=True)
class Paragraph:
    """A line of the text, of any length."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    spans: list[Span] = field(default_factory=list)
    blanks: list[Blank] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def add(self, text: str, cell: int) -> None:
        if text:
            end = self.length + _utf16(text)
            # The space before a word is the word's, but tinting it would make blocks of words.
            space = len(text) - len(text.lstrip(" ")) if text.strip() and cell != BEFORE else 0
            self.pieces.append(text)
            self.spans.append(Span(self.length + space, end, cell))
            if cell != BEFORE and not text.rstrip(_NEW_LINE).strip():
                blanks = (place for place, letter in enumerate(text) if letter.isspace())
                self.blanks += [Blank(self.length + place, text[place] == "\t") for place in blanks]
            self.length = end


def cells(read: TokensRead) -> Iterator[Cell]:
    """Put a token without text of its own together with the one that ends its character."""
    first = 0
    for place, token in enumerate(read.tokens):
        if token.text or place == len(read.tokens) - 1:
            yield Cell(first, place)
            first = place + 1


def paragraphs(read: TokensRead, cells: Sequence[Cell]) -> Iterator[Paragraph]:
    """Cut the text at its ends of lines."""
    paragraph = Paragraph()
    for number, cell in [(BEFORE, None), *enumerate(cells)]:
        # A new line that was measured is seen, and can be pointed at.
        mark = "" if cell is None else _NEW_LINE
        *whole, rest = _shown(read, cell).split("\n")
        for part in whole:
            paragraph.add(part + mark, number)
            yield paragraph
            paragraph = Paragraph()
        paragraph.add(rest, number)
    yield paragraph


def _shown(read: TokensRead, cell: Cell | None) -> str:
    if cell is None:
        return visible_end(read.before, _LONGEST_BEFORE)
    return visible("".join(read.tokens[token].text for token in cell.tokens), _LONGEST_TOKEN)


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
