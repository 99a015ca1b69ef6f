"""Makes text safe to show that others have written: names of models, texts of a corpus, tokens.

Nothing is hidden, so that a person sees what was there: characters that would be invisible, turn the direction of a
line or end a document are shown by a sign or by their number.
"""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Joiners shape letters and emoji; without them, Persian and Hindi would be spelt wrongly."""
_OBJECT = "\ufffc"
"""Stands for something that is no text, and takes no room where there is none."""


def visible(text: str, longest: int = 0) -> str:
    """Return `text` with signs for what cannot be seen; line breaks and tabs stay.

    Of more than `longest` characters, if it is given, the end is left out.
    """
    return "".join(map(_visible, _cut(text, longest)))


def visible_end(text: str, longest: int) -> str:
    """Return the end of `text` as `visible` does."""
    return visible(text if len(text) <= longest else f"…{text[-longest:]}")


def visible_token(text: str, longest: int = 40) -> str:
    """Return a token of a model: its spaces and line breaks are shown too."""
    shown = visible(text, longest).replace("\n", "↵").replace("\t", "⇥")
    return shown.replace(" ", "␣") if shown != shown.strip(" ") or not shown else shown


def one_line(text: str, longest: int = 200) -> str:
    """Return `text` without line breaks, for a name."""
    return " ".join(visible(text, longest).split())


def sentence(text: str) -> str:
    """Return a part of a sentence as a whole one."""
    return f"{text[:1].upper()}{text[1:]}."


def _cut(text: str, longest: int) -> str:
    return f"{text[:longest]}…" if longest and len(text) > longest else text


def _visible(character: str) -> str:
    if character != _OBJECT and (character.isprintable() or character in "\n\t" or character in _JOINERS):
        return character
    if unicodedata.category(character) == "Zs":
        return character
    place = ord(character)
    if place < 0x20:
        return chr(0x2400 + place)
    return f"⟨U+{place:04X}⟩"
