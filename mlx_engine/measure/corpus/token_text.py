"""What tokens say: in their place in a text, and alone."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

TORN = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer gives for a piece of a character."""
_NAMED_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
"""How SentencePiece writes a byte that is a token."""


def pieces(tokenizer: Any, ids: list[int]) -> Iterator[str]:
    """Yield the text of each token in its place; a character of several tokens comes whole with its last one."""
    start = read = 0
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[start:end])
        if text.endswith(TORN) and end < len(ids):
            yield ""
            continue
        yield text[len(tokenizer.decode(ids[start:read])) :]
        start, read = read, end


def alone(tokenizer: Any, token: int) -> str:
    r"""Return the text of a token by itself; bytes that are no whole character as Python writes them: `\xe6\x9c`."""
    text: str = tokenizer.decode([token])
    if TORN not in text:
        return text
    found = _bytes(str(tokenizer.convert_ids_to_tokens(token)))
    return found.decode(errors="backslashreplace") if found else text


def _bytes(name: str) -> bytes | None:
    """Return the bytes that a token of this name stands for, None where that cannot be told."""
    if named := _NAMED_BYTE.fullmatch(name):
        return bytes.fromhex(named[1])
    letters = _byte_letters()
    return bytes(letters[letter] for letter in name) if all(letter in letters for letter in name) else None


@cache
def _byte_letters() -> dict[str, int]:
    """Return the letters by which byte-level tokenizers write bytes (GPT-2, `bytes_to_unicode` in its encoder.py):
    what can be printed in Latin-1 stands for itself, the others have letters from U+0100 on.
    """
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(0x100 + place): byte for place, byte in enumerate(others)}
