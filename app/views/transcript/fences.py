"""Markdown rule for fenced code, which can be nested (`app.domain.fences`). Imports no Qt."""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from app.domain.fences import OpenFence, parse_fence


def add_fences(markdown: MarkdownIt) -> None:
    """Replace the rule of CommonMark."""
    markdown.block.ruler.at("fence", _fence, {"alt": ["paragraph", "blockquote", "list"]})


def _fence(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    fence = parse_fence(_line(state, first))
    if fence is None:
        return False
    if silent:
        return True
    opened, number, is_closed = OpenFence(fence), first + 1, False
    while number < last and not is_closed:
        if state.sCount[number] < state.blkIndent and not state.isEmpty(number):
            break  # the end of the list or quote around it
        is_closed = state.sCount[number] - state.blkIndent < 4 and opened.closes(_line(state, number))
        number += 1
    end = number - is_closed
    token = state.push("fence", "code", 0)
    token.info = _line(state, first)[len(fence.mark) :].strip()
    token.content = state.getLines(first + 1, end, state.sCount[first], keepLastLF=True)
    token.markup, token.map = fence.mark, [first, number]
    state.line = number
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
