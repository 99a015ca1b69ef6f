r"""Emphasis next to Chinese, Japanese and Korean. Imports no Qt.

In CommonMark, `**` inside a word counts only if no punctuation is next to it, because words have spaces around them.
These languages write none, so `**注意\uff1a**请` would show asterisks. Their letters count as spaces here, and their
punctuation as letters, as in the proposal of markdown-cjk-friendly.
"""

import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType


def add_emphasis(markdown: MarkdownIt) -> None:
    """Replace the parser of inline text; call it before rules are added to that."""
    parser = _InlineParser()
    parser.ruler.enableOnly(markdown.inline.ruler.get_active_rules())
    parser.ruler2.enableOnly(markdown.inline.ruler2.get_active_rules())
    markdown.inline = parser


class _InlineParser(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - called by markdown-it
        marker, end = self.src[start], start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = self.src[start - 1] if start else " "
        after = self.src[end] if end < self.posMax else " "
        opens = _may_open(before, after)
        closes = _may_open(after, before)
        return Scanned(
            opens and (canSplitWord or not closes or _is_punctuation(before)),
            closes and (canSplitWord or not opens or _is_punctuation(after)),
            end - start,
        )


def _may_open(outside: str, inside: str) -> bool:
    """Return True if a run of markers between these characters may belong to the inner one."""
    if isWhiteSpace(ord(inside)):
        return False
    is_loose = isWhiteSpace(ord(outside)) or _is_punctuation(outside) or _is_east_asian(outside)
    return is_loose or not _is_punctuation(inside)


def _is_punctuation(character: str) -> bool:
    """Return True for punctuation that is not of an East Asian language."""
    return (isMdAsciiPunct(ord(character)) or isPunctChar(character)) and not _is_east_asian(character)


def _is_east_asian(character: str) -> bool:
    """Return True for letters and punctuation of Chinese, Japanese and Korean."""
    return unicodedata.east_asian_width(character) in "WFH"
