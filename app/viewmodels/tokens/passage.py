"""A scored chunk of text, and steps between its flips."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlx_engine.amounts import format_percent
from mlx_engine.measure.results.messages import ScoredToken, TokensRead


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk, and the names of both models."""

    read: TokensRead
    reference: str
    candidate: str
    flips: tuple[int, ...] = field(init=False)
    """Tokens whose first choices differ."""

    def __post_init__(self) -> None:
        flips = (number for number, token in enumerate(self.tokens) if token.differs)
        object.__setattr__(self, "flips", tuple(flips))

    @property
    def tokens(self) -> tuple[ScoredToken, ...]:
        return self.read.tokens

    def has_text_of(self, other: "Passage") -> bool:
        """Return True if both passages have the same text."""
        texts = [token.text for token in self.tokens]
        return self.read.before == other.read.before and texts == [token.text for token in other.tokens]

    @property
    def mean_kl(self) -> float:
        return sum(token.kl for token in self.tokens) / max(len(self.tokens), 1)

    @property
    def summary(self) -> str:
        """Flips and mean KL of this chunk."""
        count, flips = len(self.tokens), len(self.flips)
        share = f" ({format_percent(flips / count)})" if flips else ""
        return f"{flips} of {count} next tokens differ{share} · mean KL {self.mean_kl:.3f}"

    def text(self, token: int) -> str:
        """Return the text of a token."""
        return self.tokens[token].text


def step_from(numbers: Sequence[int], current: int | None, direction: int) -> int | None:
    """Return the next of the sorted `numbers` after `current`, or the previous one for the direction -1."""
    if direction > 0:
        at = 0 if current is None else bisect_right(numbers, current)
        return numbers[at] if at < len(numbers) else None
    at = len(numbers) if current is None else bisect_left(numbers, current)
    return numbers[at - 1] if at else None
