"""Formats tokens and their figures for a card, a list, and a sentence for screen readers.

Tokens are untrusted: invisible characters are named, and none changes the direction of the text around it.
"""

import re
import unicodedata
from collections.abc import Sequence

from app.viewmodels.tokens.passage import Passage
from mlx_engine.amounts import format_percent
from mlx_engine.measure.results import safe_characters as characters
from mlx_engine.measure.results.messages import ScoredToken
from mlx_engine.measure.results.results import TopToken

_NAMES = {"": "part of a character", " ": "space", "\n": "line break", "\t": "tab"}
_PARTIAL = "\N{REPLACEMENT CHARACTER}"
"""Output of a decoder for part of a character."""
_JOINERS = "\u200c\u200d"
_LONGEST = 80
"""Characters visible_text of a token; some have thousands."""
_ISOLATED = "\u2068{}\u2069"


def visible(text: str) -> str:
    """Return the text of a token on one line, with white space and invisible characters made visible."""
    if text in _NAMES or not text.strip(_PARTIAL):
        return f"({_NAMES.get(text, _NAMES[''])})"
    if not text.strip(_JOINERS):
        return "".join(f"⟨U+{ord(letter):04X}⟩" for letter in text[:_LONGEST])
    is_blank = not text.strip()
    visible_text = characters.visible(text, _LONGEST).replace("\n", "↵").replace("\t", "⇥")
    if is_blank:
        return visible_text.replace(" ", "·")
    visible_text = visible_text.strip(" ")
    # A combining mark whose letter is in another token gets a dotted circle.
    return f"◌{visible_text}" if unicodedata.category(visible_text[0]).startswith("M") else visible_text


def token_name(token: ScoredToken) -> str:
    """Return the visible text of a token. For part of a character, these are its bytes if a model has them."""
    choice_text = next((choice.text for choice in (*token.reference, *token.candidate) if choice.is_true), "")
    return visible(token.text or choice_text)


def preceding_text(text: str, length: int) -> str:
    """Return the end of the text before a token, on one line, without a partial character."""
    line = re.sub(r"\s+", " ", text[-4 * length :].rstrip(_PARTIAL))
    return characters.visible_end(line, length)


def format_choices(reference: str, candidate: str) -> str:
    """Return two choices in this order, independent of their writing direction."""
    first, second = (_ISOLATED.format(visible(text)) for text in (reference, candidate))
    return f"both: {first}" if reference == candidate else f"{first} → {second}"


def format_probability(probability: float) -> str:
    """Return a probability: "43%", "4.3%", "0.04%", "< 0.01%"."""
    value = 100 * probability
    if value < 0.01:
        return "< 0.01%"
    return format_percent(probability, 0 if value >= 10 else 1 if value >= 1 else 2)


def format_change(token: ScoredToken) -> str:
    """Return the change in probability of the true token: "-12.3 points"."""
    points = 100 * (token.probability - token.reference_probability)
    sign = "\N{MINUS SIGN}" if points <= -0.05 else "+" if points >= 0.05 else "±"
    return f"{sign}{abs(points):.1f} points"


def describe_token(passage: Passage, number: int) -> str:
    """Return the content of the card of a token as a sentence for screen readers."""
    token = passage.tokens[number]
    first = f"{passage.reference} expects {_expected(token.reference)}"
    other = f"{passage.candidate} {'' if token.differs else 'too, '}{_expected(token.candidate)}"
    return f"{token_name(token)}: KL {token.kl:.3f}, {format_change(token)}. {first}; {other}."


def _expected(choices: Sequence[TopToken]) -> str:
    best = choices[0] if choices else None
    return f"{visible(best.text)} with {format_probability(best.probability)}" if best else "nothing"
