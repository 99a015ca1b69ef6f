"""What the view of tokens shows, as values: a chunk of text, where to step in it, and how tokens read in a sentence."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlx_engine.measure.messages import ScoredToken, TokensRead

_NAMED = {"": "part of a character", " ": "a space", "\n": "a new line", "\t": "a tab"}

_TORN = "\N{REPLACEMENT CHARACTER}"
"""What a decoder gives for a piece of a character."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One chunk, and what the two models are called."""

    read: TokensRead
    reference: str
    candidate: str
    flips: tuple[int, ...] = field(init=False)
    """Where the first choices differ."""

    def __post_init__(self) -> None:
        flips = (place for place, token in enumerate(self.tokens) if token.differs)
        object.__setattr__(self, "flips", tuple(flips))

    @property
    def tokens(self) -> tuple[ScoredToken, ...]:
        return self.read.tokens

    @property
    def mean_kl(self) -> float:
        return sum(token.kl for token in self.tokens) / max(len(self.tokens), 1)

    @property
    def in_words(self) -> str:
        """How far both are apart in this chunk."""
        count, flips = len(self.tokens), len(self.flips)
        share = f" ({100 * flips / count:.0f} %)" if flips else ""
        return f"{flips} of {count} next tokens differ{share} · mean KL {self.mean_kl:.3f}"

    def text(self, token: int) -> str:
        """Return a token as the text has it."""
        return self.tokens[token].text


def step_from(places: Sequence[int], current: int | None, direction: int) -> int | None:
    """Return which of the sorted `places` comes next after `current`, or before it with the direction -1."""
    if direction > 0:
        at = 0 if current is None else bisect_right(places, current)
        return places[at] if at < len(places) else None
    at = len(places) if current is None else bisect_left(places, current)
    return places[at - 1] if at else None


def visible(text: str) -> str:
    """Return the text of a token so that white space and what cannot be seen is seen, in one line."""
    if text in _NAMED or not text.strip(_TORN):
        return f"({_NAMED.get(text, _NAMED[''])})"
    if not text.strip():
        return text.replace(" ", "·").replace("\n", "↵").replace("\t", "⇥")
    return "".join("↵" if letter == "\n" else "⇥" if letter == "\t" else letter for letter in text).strip(" ")


def context(text: str, length: int) -> str:
    """Return the end of what comes before a token, in one line; a character that is torn apart is left out."""
    line = re.sub(r"\s+", " ", text.rstrip(_TORN))
    return line if len(line) <= length else f"…{line[-length:]}"


def percent(probability: float) -> str:
    """Return a probability: "43 %", "4.3 %", "0.04 %", "< 0.01 %"."""
    value = 100 * probability
    if value < 0.01:
        return "< 0.01 %"
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %" if value >= 1 else f"{value:.2f} %"


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
    return f"{visible(token.text)}: KL {token.kl:.3f}, {change(token)}. {first}; {other}."


def _expected(choices: Sequence[object]) -> str:
    best = choices[0] if choices else None
    return f"{visible(best.text)} with {percent(best.probability)}" if best else "nothing"  # type: ignore[attr-defined]
