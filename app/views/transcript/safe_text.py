"""Sanitizes text for display: no control characters, and none that a QTextDocument uses internally.

Each rule looks at a single character, so a text can arrive in arbitrary pieces.
"""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile("[\u2028\u2029\x85]")
# Lone surrogates cannot be drawn; Qt uses the others to mark frames and inline objects.
_RESERVED = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffc\ufffe\uffff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def sanitize(text: str) -> str:
    """Return `text` with control characters as symbols (␛) and without carriage returns."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", text.replace("\r", ""))
    text = _CONTROL.sub(_symbol, text)
    return _RESERVED.sub("\ufffd", text)


def show_direction_marks(text: str) -> str:
    """Return `text` with invisible direction marks as ⟨U+202E⟩: in code and addresses they can disguise the content."""
    return text if text.isascii() else _DIRECTION.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def fold_lines(text: str, width: int) -> str:
    """Return `text` with lines broken after `width` characters: layout time grows with line length."""
    if len(text) <= width:
        return text
    return "\n".join(piece for line in text.split("\n") for piece in _pieces(line, width))


def utf16_length(text: str) -> int:
    """Return the length of `text` in UTF-16 units, as Qt counts: an emoji is 2."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _pieces(line: str, width: int) -> list[str]:
    return [line[start : start + width] for start in range(0, len(line), width)] or [""]


def _symbol(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
