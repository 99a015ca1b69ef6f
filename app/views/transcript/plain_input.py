"""Parses the user's messages into blocks. Only fences, code spans, formulas and bare links are rendered.

Has the same two methods as `MarkdownParser`. Headings, lists and emphasis stay text, so a pasted "# include" or
"__init__" looks as typed. Imports no Qt.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.views.transcript.blocks import Block, TopBlock
from app.views.transcript.markdown import inline_tokens, is_too_long
from app.views.transcript.syntax import add_rules

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$")


class PlainInput:
    """Parser for the user's messages."""

    def __init__(self) -> None:
        self._parser = MarkdownIt("zero").enable("backticks")
        add_rules(self._parser)

    def top_blocks(self, text: str) -> list[TopBlock]:
        """Return paragraphs, which end at an empty line, and fenced code."""
        return list(_top_blocks(text.split("\n")))

    def inline(self, text: str) -> list[Token]:
        """Return the tokens of a paragraph; line ends stay in the text."""
        return inline_tokens(self._parser, text)


def _top_blocks(lines: list[str]) -> Iterator[TopBlock]:
    number = 0
    while number < len(lines):
        first, fence = number, _FENCE.match(lines[number])
        number += 1
        if fence:
            while number < len(lines) and not _closes(lines[number], fence[1]):
                number += 1
            yield TopBlock(
                first, (Block("code", "\n".join(lines[first + 1 : number]).rstrip("\n"), language=fence[2]),)
            )
            number += 1
        elif lines[first].strip():
            while number < len(lines) and lines[number].strip() and not _FENCE.match(lines[number]):
                number += 1
            yield TopBlock(first, (_paragraph("\n".join(lines[first:number]).rstrip()),))


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and not mark.strip(fence[0])


def _paragraph(text: str) -> Block:
    return Block("plain" if is_too_long(text) else "paragraph", text)
