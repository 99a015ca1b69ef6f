r"""Markdown extensions: formulas between $…$, $$…$$, \(…\) and \[…\], and bare links.

A display formula is recognized by its first line alone, like a fence, and ends at its closing delimiter or before a
blank line. So later text never changes blocks that are already on the screen.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_CLOSING = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_ADDRESS = re.compile(r"//[^\s<>\"`*\\|\x00-\x1f]+")
_LONGEST_FORMULA = 4_000
"""Characters. A closing delimiter further away belongs to something else."""


def add_rules(markdown: MarkdownIt) -> None:
    """Add these rules to `markdown`."""
    markdown.block.ruler.before("fence", "maths", _maths_block, {"alt": ["paragraph", "blockquote", "list"]})
    markdown.inline.ruler.before("escape", "maths", _maths)
    markdown.inline.ruler.before("linkify", "bare_link", _bare_link)


def _maths_block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    opening = state.src[state.bMarks[first] + state.tShift[first] :][:2]
    if opening not in ("$$", "\\["):
        return False
    line = _line(state, first)[2:]
    closing = _CLOSING[opening]
    end = line.find(closing)
    if end >= 0 and line[end + 2 :].strip(" .,;:"):
        return False  # text follows on the same line: part of a paragraph
    if not silent:
        _push_maths(state, first, last, closing)
    return True


def _push_maths(state: StateBlock, first: int, last: int, closing: str) -> None:
    """Push the formula that starts in line `first`, or a paragraph if it is not closed."""
    lines = [_line(state, first)[2:]]
    number = first + 1
    while closing not in lines[-1] and number < last and not state.isEmpty(number):
        if state.sCount[number] < state.blkIndent:
            break
        lines.append(_line(state, number))
        number += 1
    body, closed, after = "\n".join(lines).partition(closing)
    state.line = number
    line_range = [first, number]
    if closed and body.strip() and len(body) <= _LONGEST_FORMULA:
        token = state.push("maths_block", "", 0)
        token.content, token.map = body.strip() + after.strip(), line_range
        return
    state.push("paragraph_open", "p", 1).map = line_range
    token = state.push("inline", "", 0)
    token.content = state.getLines(first, number, state.blkIndent, keepLastLF=False).strip()
    token.map, token.children = line_range, []
    state.push("paragraph_close", "p", -1)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _maths(state: StateInline, silent: bool) -> bool:
    opening = next((delimiter for delimiter in _CLOSING if state.src.startswith(delimiter, state.pos)), "")
    if not opening:
        return False
    start = state.pos + len(opening)
    end = _end_of_maths(state.src, start, min(state.posMax, start + _LONGEST_FORMULA), opening)
    if end < 0:
        return False
    if not silent:
        token = state.push("maths", "", 0)
        token.content = state.src[start:end].strip()
        token.markup = opening
    state.pos = end + len(_CLOSING[opening])
    return True


def _end_of_maths(text: str, start: int, limit: int, opening: str) -> int:
    """Return the end of the formula that starts at `start`, or -1 if the delimiter is ordinary text."""
    end = text.find(_CLOSING[opening], start, limit)
    if opening == "$":
        return end if _are_dollars_of_maths(text, start, end) else -1
    return end if end >= 0 and text[start:end].strip() else -1


def _are_dollars_of_maths(text: str, start: int, end: int) -> bool:
    """Return True for "$x + y$", False for "$5 and $6".

    The conditions of Pandoc's `tex_math_dollars` (no space inside the dollar signs, no digit after the closing one),
    and no letter before the opening one, which excludes "US$5".
    """
    if end <= start or text[start].isspace() or text[end - 1].isspace() or text[end - 1] == "\\":
        return False
    before, after = text[start - 2 : start - 1], text[end + 1 : end + 2]
    return not (before.isalnum() or after.isalnum() or "\n\n" in text[start:end])


def _bare_link(state: StateInline, silent: bool) -> bool:
    """Match a whole address at the colon of "https:", so that no other rule sees its characters."""
    scheme = next((word for word in ("https", "http") if state.pending.endswith(word)), "")
    if not scheme or state.src[state.pos] != ":" or state.linkLevel:
        return False
    before = state.pending[: -len(scheme)]
    match = _ADDRESS.match(state.src, state.pos + 1, state.posMax)
    if before[-1:].isalnum() or not match:
        return False
    rest = _without_punctuation(match[0])
    target = state.md.normalizeLink(f"{scheme}:{rest}")
    if len(rest) < 3 or not state.md.validateLink(target):
        return False
    if not silent:
        _push_link(state, before, target, f"{scheme}:{rest}")
    state.pos += 1 + len(rest)
    return True


def _push_link(state: StateInline, before: str, target: str, text: str) -> None:
    state.pending = before
    state.push("link_open", "a", 1).attrs = {"href": target}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)


def _without_punctuation(address: str) -> str:
    """Return `address` without the punctuation of the sentence around it."""
    while True:
        shorter = address.rstrip(".,;:!?'_~$")
        for opening, closing in ("()", "[]", "{}"):
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter
