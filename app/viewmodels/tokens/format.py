"""How tokens and their figures read: on a card, in a list, in a sentence for those who hear it.

Tokens are of others' making: what cannot be seen in them is named, and none turns the words around it.
"""

import re
import unicodedata
from collections.abc import Sequence

from app.viewmodels.tokens.passage import Passage
from mlx_engine.amounts import format_percent
from mlx_engine.measure.results import safe_characters as characters
from mlx_engine.measure.results.messages import ScoredToken
from mlx_engine.measure.results.results import Choice

_NAMED = {"": "part of a character", " ": "a space", "\n": "a new line", "\t": "a tab"}
_TORN = "\N{REPLACEMENT CHARACTER}"
"""What a decoder gives for a piece of a character."""
_JOINERS = "\u200c\u200d"
_LONGEST = 80
"""Characters of a token that are shown; some have thousands."""
_ISOLATED = "\u2068{}\u2069"


def visible(text: str) -> str:
    """Return the text of a token so that white space and what cannot be seen is seen, in one line."""
    if text in _NAMED or not text.strip(_TORN):
        return f"({_NAMED.get(text, _NAMED[''])})"
    if not text.strip(_JOINERS):
        return "".join(f"⟨U+{ord(letter):04X}⟩" for letter in text[:_LONGEST])
    is_blank = not text.strip()
    shown = characters.visible(text, _LONGEST).replace("\n", "↵").replace("\t", "⇥")
    if is_blank:
        return shown.replace(" ", "·")
    shown = shown.strip(" ")
    # A mark that belongs above a letter stands on a circle where the letter is in another token.
    return f"◌{shown}" if unicodedata.category(shown[0]).startswith("M") else shown


def named(token: ScoredToken) -> str:
    """Return what a token is called: of a piece of a character, its bytes are told if one of the models said them."""
    said = next((one.text for one in (*token.reference, *token.candidate) if one.is_true), "")
    return visible(token.text or said)


def context(text: str, length: int) -> str:
    """Return the end of what comes before a token, in one line; a character that is torn apart is left out."""
    line = re.sub(r"\s+", " ", text[-4 * length :].rstrip(_TORN))
    return characters.visible_end(line, length)


def both(one: str, other: str) -> str:
    """Return two choices beside each other, in this order whichever way they are read."""
    first, second = (_ISOLATED.format(visible(text)) for text in (one, other))
    return f"both: {first}" if one == other else f"{first} → {second}"


def percent(probability: float) -> str:
    """Return a probability: "43%", "4.3%", "0.04%", "< 0.01%"."""
    value = 100 * probability
    if value < 0.01:
        return "< 0.01%"
    return format_percent(probability, 0 if value >= 10 else 1 if value >= 1 else 2)


def change(token: ScoredToken) -> str:
    """Return by how many points the candidate gives the true token more or less: "-12.3 points"."""
    points = 100 * (token.probability - token.reference_probability)
    sign = "\N{MINUS SIGN}" if points <= -0.05 else "+" if points >= 0.05 else "±"
    return f"{sign}{abs(points):.1f} points"


def sentence(passage: Passage, place: int) -> str:
    """Return what the card of a token shows, for those who hear it."""
    token = passage.tokens[place]
    first = f"{passage.reference} expects {_expected(token.reference)}"
    other = f"{passage.candidate} {'' if token.differs else 'too, '}{_expected(token.candidate)}"
    return f"{named(token)}: KL {token.kl:.3f}, {change(token)}. {first}; {other}."


def _expected(choices: Sequence[Choice]) -> str:
    best = choices[0] if choices else None
    return f"{visible(best.text)} with {percent(best.probability)}" if best else "nothing"
