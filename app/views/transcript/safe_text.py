"""Text made harmless to show: no control characters, nothing that a QTextDocument takes for its own marks.

Every rule looks at one character alone, so it does not matter in which pieces a text arrives.
"""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile("[\u2028\u2029\x85]")
# Halves of surrogate pairs cannot be drawn; the others are what Qt marks frames and inline objects with.
_NO_CHARACTERS = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffc\ufffe\uffff]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """Return `text` with control characters as their pictures (␛) and without carriage returns."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", text.replace("\r", ""))
    text = _CONTROL.sub(_picture, text)
    return _NO_CHARACTERS.sub("\ufffd", text)


def without_direction(text: str) -> str:
    """Return `text` with the invisible marks that turn the direction of writing shown as ⟨U+202E⟩: in code and in
    addresses they make something look like what it is not.
    """
    return text if text.isascii() else _DIRECTION.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def folded(text: str, width: int) -> str:
    """Return `text` with its lines broken after `width` characters: laying out one line takes time with its length."""
    if len(text) <= width:
        return text
    return "\n".join(piece for line in text.split("\n") for piece in _pieces(line, width))


def utf16_length(text: str) -> int:
    """Return the length of `text` as Qt counts it: an emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _pieces(line: str, width: int) -> list[str]:
    return [line[start : start + width] for start in range(0, len(line), width)] or [""]


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
