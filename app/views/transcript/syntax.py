r"""Markdown extensions: formulas between $…$, $$…$$, \(…\) and \[…\], bare links, and footnotes.

A display formula is recognized by its first line alone, like a fence, and ends at its closing delimiter or before a
blank line. So later text never changes blocks that are already on the screen.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from app.views.transcript.dollars import CLOSING, LONGEST_FORMULA, end_of_formula, looks_like_formula, opening_delimiter

_ADDRESS = re.compile(r"//[^\s<>\"`*\\|\x00-\x1f]+")
_FOOTNOTE = re.compile(r"\[\^([^\[\]\s^]{1,32})\](:?)")


def add_rules(markdown: MarkdownIt) -> None:
    """Add these rules to `markdown`."""
    markdown.block.ruler.before("fence", "maths", _maths_block, {"alt": ["paragraph", "blockquote", "list"]})
    markdown.inline.ruler.before("escape", "maths", _maths)
    markdown.inline.ruler.before("linkify", "bare_link", _bare_link)


def add_footnotes(markdown: MarkdownIt) -> None:
    """Add the rule for labels such as [^1], which become raised; their texts stay where they are."""
    markdown.inline.ruler.before("link", "footnote", _footnote)


def _maths_block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if state.is_code_block(first):
        return False
    opening = state.src[state.bMarks[first] + state.tShift[first] :][:2]
    if opening not in ("$$", "\\["):
        return False
    line = _line(state, first)[2:]
    closing = CLOSING[opening]
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
    if closed and looks_like_formula(body.strip()) and len(body) <= LONGEST_FORMULA:
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
    opening = opening_delimiter(state.src, state.pos)
    end = end_of_formula(state.src, state.pos, state.posMax)
    if end == state.pos:
        return False
    if not silent:
        token = state.push("maths", "", 0)
        token.content = state.src[state.pos + len(opening) : end - len(opening)].strip()
        token.markup = opening
    state.pos = end
    return True


def _footnote(state: StateInline, silent: bool) -> bool:
    match = _FOOTNOTE.match(state.src, state.pos, state.posMax)
    if not match or state.src.startswith("(", match.end()):
        return False
    is_definition = bool(match[2]) and state.src[state.pos - 1 : state.pos] in ("", "\n")
    if not silent:
        state.push("footnote", "", 0).content = match[1]
    state.pos = match.end() if is_definition else match.end() - len(match[2])
    return True


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
