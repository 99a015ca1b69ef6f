"""Makes untrusted text safe to display: names of models, texts of a corpus, tokens.

Nothing is dropped: characters that are invisible, change the direction of a line or end a document are replaced by a
symbol or by their code point.
"""

import unicodedata

_JOINERS = "\u200c\u200d"
"""They shape letters and emoji; without them, Persian and Hindi would be misspelled."""
_OBJECT = "\ufffc"
"""Placeholder for an embedded object; invisible without one."""


def visible(text: str, longest: int = 0) -> str:
    """Return `text` with invisible characters replaced, except line breaks and tabs.

    Text longer than `longest` characters is cut at the end, unless that is 0.
    """
    return "".join(map(_visible, _cut(text, longest)))


def visible_end(text: str, longest: int) -> str:
    """Return `text` as `visible` does, but cut at the start."""
    return visible(text if len(text) <= longest else f"…{text[-longest:]}")


def visible_token(text: str, longest: int = 40) -> str:
    """Return a token as `visible` does, with its line breaks and its leading and trailing spaces replaced too."""
    token = visible(text, longest).replace("\n", "↵").replace("\t", "⇥")
    return token.replace(" ", "␣") if token != token.strip(" ") or not token else token


def one_line(text: str, longest: int = 200) -> str:
    """Return `text` as `visible` does, on one line."""
    return " ".join(visible(text, longest).split())


def sentence(text: str) -> str:
    """Return a clause as a sentence: capitalized, with a period."""
    return f"{text[:1].upper()}{text[1:]}."


def _cut(text: str, longest: int) -> str:
    return f"{text[:longest]}…" if longest and len(text) > longest else text


def _visible(character: str) -> str:
    if character != _OBJECT and (character.isprintable() or character in "\n\t" or character in _JOINERS):
        return character
    if unicodedata.category(character) == "Zs":
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return f"⟨U+{code:04X}⟩"
