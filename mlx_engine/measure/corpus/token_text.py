"""Decodes tokens to text, one at a time or as the pieces of a text."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""A tokenizer decodes part of a character to this."""
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
"""SentencePiece's name for a token that is a single byte."""


def decode_pieces(tokenizer: Any, ids: list[int]) -> Iterator[str]:
    """Yield the text of each token in context; the last token of a multi-token character yields all of it."""
    start = read = 0
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[start:end])
        if text.endswith(REPLACEMENT) and end < len(ids):
            yield ""
            continue
        yield text[len(tokenizer.decode(ids[start:read])) :]
        start, read = read, end


def decode_token(tokenizer: Any, token: int) -> str:
    r"""Return the text of a single token; part of a character is written as escaped bytes, such as `\xe6\x9c`."""
    text: str = tokenizer.decode([token])
    if REPLACEMENT not in text:
        return text
    content = _token_bytes(str(tokenizer.convert_ids_to_tokens(token)))
    return content.decode(errors="backslashreplace") if content else text


def _token_bytes(name: str) -> bytes | None:
    """Return the bytes of the token with this name in the vocabulary, None if the name does not give them."""
    if match := _BYTE_TOKEN.fullmatch(name):
        return bytes.fromhex(match[1])
    letters = _byte_letters()
    return bytes(letters[letter] for letter in name) if all(letter in letters for letter in name) else None


@cache
def _byte_letters() -> dict[str, int]:
    """Return the byte for each letter of a byte-level tokenizer (GPT-2's `bytes_to_unicode` in encoder.py).

    Printable Latin-1 characters are their own letters; the remaining bytes use letters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unprintable = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + rank): byte for rank, byte in enumerate(unprintable)}
