"""What the view of tokens shows, as values: a chunk of text, and where to step in it."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlx_engine.amounts import format_percent
from mlx_engine.measure.results.messages import ScoredToken, TokensRead


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

    def has_text_of(self, other: "Passage") -> bool:
        """Return whether both say the same, whatever the models make of it."""
        return self.read.before == other.read.before and [one.text for one in self.tokens] == [
            one.text for one in other.tokens
        ]

    @property
    def mean_kl(self) -> float:
        return sum(token.kl for token in self.tokens) / max(len(self.tokens), 1)

    @property
    def in_words(self) -> str:
        """How far both are apart in this chunk."""
        count, flips = len(self.tokens), len(self.flips)
        share = f" ({format_percent(flips / count)})" if flips else ""
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
