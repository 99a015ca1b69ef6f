"""How fast a download is, smoothed so that a person can read it, and how long the rest will take. Pure."""

import math
from dataclasses import dataclass

TIME_CONSTANT_S = 6.0
"""What lies further back than this counts for about a third."""

_FIRST_WORD_S = 2.0
"""So long the rate is watched before it is used to say how much time remains."""


@dataclass(frozen=True, slots=True)
class TransferRate:
    """An exponential mean of the rate, by time and not by sample, so that it does not matter how often it is fed."""

    at_s: float
    done_bytes: int
    _mean: float = 0.0
    _weight: float = 0.0
    """How much of the mean comes from what was seen, as it starts from zero: 0 … 1."""

    def after(self, at_s: float, done_bytes: int) -> "TransferRate":
        """Return the rate when so many bytes are there at this time. Bytes that were lost again slow it to zero."""
        elapsed = at_s - self.at_s
        if elapsed <= 0:
            return self
        share = 1 - math.exp(-elapsed / TIME_CONSTANT_S)
        rate = max(0, done_bytes - self.done_bytes) / elapsed
        return TransferRate(
            at_s,
            done_bytes,
            self._mean + share * (rate - self._mean),
            self._weight + share * (1 - self._weight),
        )

    @property
    def bytes_per_s(self) -> float:
        return self._mean / self._weight if self._weight else 0.0

    def remaining_s(self, total_bytes: int) -> float | None:
        """Return the time that the rest takes at this rate; None while that is not known."""
        if self._weight < 1 - math.exp(-_FIRST_WORD_S / TIME_CONSTANT_S) or self.bytes_per_s < 1:
            return None
        return max(0, total_bytes - self.done_bytes) / self.bytes_per_s
