"""Parses the user's messages into blocks. Only fences, code spans, formulas and bare links are rendered.

Has the same two methods as `MarkdownParser`. Headings, lists and emphasis stay text, so a pasted "# include" or
"__init__" looks as typed. Imports no Qt.
"""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.domain.fences import Fence, OpenFence, parse_fence
from app.views.transcript.blocks import Block, TopBlock
from app.views.transcript.markdown import inline_tokens, is_too_long
from app.views.transcript.syntax import add_rules


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
        first, fence = number, _fence(lines[number])
        number += 1
        if fence:
            opened = OpenFence(fence)
            while number < len(lines) and not opened.closes(lines[number].lstrip()):
                number += 1
            text = "\n".join(lines[first + 1 : number]).rstrip("\n")
            yield TopBlock(first, (Block("code", text, language=fence.language),))
            number += 1
        elif lines[first].strip():
            while number < len(lines) and lines[number].strip() and not _fence(lines[number]):
                number += 1
            yield TopBlock(first, (_paragraph("\n".join(lines[first:number]).rstrip()),))


def _fence(line: str) -> Fence | None:
    unindented = line.lstrip(" ")
    return parse_fence(unindented) if len(line) - len(unindented) <= 3 else None


def _paragraph(text: str) -> Block:
    return Block("plain" if is_too_long(text) else "paragraph", text)
