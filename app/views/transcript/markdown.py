"""Parses the Markdown of an answer into blocks. Imports no Qt.

CommonMark with tables, strikethrough, formulas and bare links. Raw HTML and reference links stay text: a definition at
the end of a streamed answer would change the text at its start.
"""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.views.transcript.blocks import Alignment, Block, TopBlock
from app.views.transcript.emphasis import add_emphasis
from app.views.transcript.fences import add_fences
from app.views.transcript.syntax import add_footnotes, add_rules
from app.views.transcript.tables import add_tables

DEEPEST = 24
"""Deepest nesting that is rendered; deeper blocks are plain text."""
_LONGEST_PARAGRAPH, _LONGEST_WORD = 20_000, 1_500
"""Characters. Longer ones are plain text: their layout takes longer than a frame."""
MOST_COLUMNS = 40
TABLE_ROWS = 24
"""Rows of a block, below a header. A longer table continues in further blocks: the layout of a table that grows takes
time for all its rows."""
_DEEPEST_BRACKETS = 20
_BULLETS = "•◦▪"
_TASKS = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}


class MarkdownParser:
    """Parser for answers."""

    def __init__(self) -> None:
        self._parser = _parser()

    def top_blocks(self, text: str) -> list[TopBlock]:
        """Return the blocks of `text`, which is sanitized already."""
        lines = text.split("\n")
        return [_top_block(tokens, lines) for tokens in _groups(self._parser.parse(text))]

    def inline(self, text: str) -> list[Token]:
        """Return the tokens of the text inside a paragraph, a heading or a cell."""
        return inline_tokens(self._parser, text)


def is_too_long(text: str) -> bool:
    """Return True if the layout of a paragraph takes too long: it, or a word in it, is very long."""
    if len(text) <= _LONGEST_WORD:
        return False
    is_long = len(text) > _LONGEST_PARAGRAPH
    return is_long or any(len(word) > _LONGEST_WORD and word.isascii() for word in text.split())


def inline_tokens(parser: MarkdownIt, text: str) -> list[Token]:
    """Return the tokens of `text`, or a single text token if parsing would take too long."""
    tokens: list[Token] = []
    if _is_tangled(text):
        tokens.append(Token("text", "", 0, content=text))
    else:
        parser.inline.parse(text, parser, {}, tokens)
    return tokens


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 2 * DEEPEST, "html": False})
    parser.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline"])
    add_emphasis(parser)
    add_rules(parser)
    add_footnotes(parser)
    add_fences(parser)
    add_tables(parser)
    # Inline tokens are parsed when a block is written.
    parser.core.ruler.disable("inline")
    return parser


def _is_tangled(text: str) -> bool:
    """Return True if brackets are nested so deeply that finding links takes quadratic time."""
    if text.count("[") <= _DEEPEST_BRACKETS:
        return False
    depth = deepest = 0
    for character in text:
        depth += (character == "[") - (character == "]")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST_BRACKETS


def _groups(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each top-level block."""
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0 and token.type != "inline":
            yield tokens[start : index + 1]
            start = index + 1


def _top_block(tokens: list[Token], lines: list[str]) -> TopBlock:
    first, last = tokens[0].map or (0, len(lines))
    if max(token.level for token in tokens) >= 2 * DEEPEST - 2 or _is_too_wide(tokens):
        return TopBlock(first, (Block("plain", "\n".join(lines[first:last]).rstrip("\n")),))
    return TopBlock(first, tuple(_Flattener(tokens).blocks()))


def _is_too_wide(tokens: list[Token]) -> bool:
    columns = 0
    for token in tokens:
        columns = 0 if token.type == "tr_open" else columns + (token.type in ("th_open", "td_open"))
        if columns > MOST_COLUMNS:
            return True
    return False


class _Flattener:
    """Walks the tokens of one top-level block and yields flat blocks, each with its nesting."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._nesting = ""
        self._marker = ""
        self._numbered: list[bool] = []
        self._rows: list[list[str]] = []
        self._alignments: list[Alignment] = []

    def blocks(self) -> Iterator[Block]:
        opened = self._tokens[0]
        for token in self._tokens:
            if token.type in ("paragraph_open", "heading_open", "th_open", "td_open"):
                opened = token
            yield from self._block(token, opened)

    def _block(self, token: Token, opened: Token) -> Iterator[Block]:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._numbered.append(token.type == "ordered_list_open")
            case "bullet_list_close" | "ordered_list_close":
                self._numbered.pop()
            case "blockquote_open" | "list_item_open":
                yield from self._open(token)
            case "blockquote_close" | "list_item_close":
                yield from self._bare_marker()
                self._nesting = self._nesting[:-1]
            case "inline":
                yield from self._text(token, opened)
            case "fence" | "code_block":
                yield from self._bare_marker()
                yield Block("code", token.content.rstrip("\n"), self._nesting, language=_language(token.info))
            case "maths_block" | "hr":
                yield from self._bare_marker()
                yield Block("rule" if token.type == "hr" else "maths", token.content, self._nesting)
            case "tr_open":
                self._rows.append([])
            case "table_close":
                yield from self._bare_marker()
                yield from self._table()

    def _table(self) -> Iterator[Block]:
        rows, alignments = tuple(tuple(row) for row in self._rows), tuple(self._alignments)
        for start in (0, *range(1 + TABLE_ROWS, len(rows), TABLE_ROWS)):
            part = rows[start : start + TABLE_ROWS + (start == 0)]
            yield Block("table", nesting=self._nesting, rows=part, alignments=alignments, continues=start > 0)
        self._rows, self._alignments = [], []

    def _open(self, token: Token) -> Iterator[Block]:
        yield from self._bare_marker()
        if token.type == "blockquote_open":
            self._nesting += "q"
            return
        self._nesting += "l"
        depth = self._nesting.count("l") - 1
        self._marker = f"{token.info}{token.markup}" if self._numbered[-1] else _BULLETS[depth % len(_BULLETS)]

    def _text(self, token: Token, opened: Token) -> Iterator[Block]:
        if opened.type in ("th_open", "td_open"):
            self._rows[-1].append(token.content)
            if opened.type == "th_open":
                self._alignments.append(_alignment(opened))
            return
        if is_too_long(token.content):
            yield from self._bare_marker()
            yield Block("plain", token.content, self._nesting)
            return
        text = self._without_task(token.content)
        level = int(opened.tag[1]) if opened.type == "heading_open" else 0
        yield Block("heading" if level else "paragraph", text, self._nesting, level=level, marker=self._take_marker())

    def _without_task(self, text: str) -> str:
        if self._marker and text[:4] in _TASKS:
            self._marker = _TASKS[text[:4]]
            return text[4:]
        return text

    def _bare_marker(self) -> Iterator[Block]:
        """Yield a line for the marker of a list item when the next block cannot carry it."""
        if self._marker:
            yield Block("paragraph", "", self._nesting, marker=self._take_marker())

    def _take_marker(self) -> str:
        marker, self._marker = self._marker, ""
        return marker


def _language(info: str) -> str:
    names = info.split(maxsplit=1)
    return names[0].strip("{}.")[:40] if names else ""


def _alignment(token: Token) -> Alignment:
    style = str(token.attrs.get("style", ""))
    if "right" in style:
        return "right"
    return "center" if "center" in style else "left"
