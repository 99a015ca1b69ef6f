"""A text as paragraphs of spans, which map characters to tokens. Invisible characters are replaced by symbols.

Lengths are in UTF-16 units, as in Qt. Knows nothing about positions on the screen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mlx_engine.measure.results.messages import TokensRead
from mlx_engine.measure.results.safe_characters import visible, visible_end

BEFORE = -1
"""Cell of the text before the first scored token."""
_NEW_LINE = "↵"
_LONGEST_TOKEN, _LONGEST_BEFORE = 400, 40_000
"""Characters; longer tokens and contexts are cut."""


@dataclass(frozen=True, slots=True)
class TokenCell:
    """Unit of tinting: a token, or several tokens that form one character."""

    first: int
    last: int

    @property
    def tokens(self) -> range:
        return range(self.first, self.last + 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a paragraph that belongs to a cell."""

    start: int
    end: int
    cell: int


@dataclass(frozen=True, slots=True)
class Blank:
    """White space in a paragraph, in a token of white space only."""

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
            # The space before a word belongs to its token, but tinting it would join the words into blocks.
            space = len(text) - len(text.lstrip(" ")) if text.strip() and cell != BEFORE else 0
            self.pieces.append(text)
            self.spans.append(Span(self.length + space, end, cell))
            if cell != BEFORE and not text.rstrip(_NEW_LINE).strip():
                blanks = (index for index, letter in enumerate(text) if letter.isspace())
                self.blanks += [Blank(self.length + index, text[index] == "\t") for index in blanks]
            self.length = end


def cells(read: TokensRead) -> Iterator[TokenCell]:
    """Join tokens without text with the token that completes their character."""
    first = 0
    for number, token in enumerate(read.tokens):
        if token.text or number == len(read.tokens) - 1:
            yield TokenCell(first, number)
            first = number + 1


def paragraphs(read: TokensRead, cells: Sequence[TokenCell]) -> Iterator[Paragraph]:
    """Split the text at line breaks."""
    paragraph = Paragraph()
    for number, cell in [(BEFORE, None), *enumerate(cells)]:
        # A scored line break is visible, and has a card.
        mark = "" if cell is None else _NEW_LINE
        *complete, rest = _visible_text(read, cell).split("\n")
        for part in complete:
            paragraph.add(part + mark, number)
            yield paragraph
            paragraph = Paragraph()
        paragraph.add(rest, number)
    yield paragraph


def _visible_text(read: TokensRead, cell: TokenCell | None) -> str:
    if cell is None:
        return visible_end(read.before, _LONGEST_BEFORE)
    return visible("".join(read.tokens[token].text for token in cell.tokens), _LONGEST_TOKEN)


def _utf16(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
