"""The rate of a transfer, smoothed for display, and the estimated time remaining. Pure."""

import math
from dataclasses import dataclass

TIME_CONSTANT_S = 6.0
"""Time constant of the exponential mean: older samples together weigh about a third."""

_WARM_UP_S = 2.0
"""Observation time before the remaining time is estimated."""


@dataclass(frozen=True, slots=True)
class TransferRate:
    """An exponential mean of the rate, weighted by time, so that the number of samples does not matter."""

    at_s: float
    done_bytes: int
    _mean: float = 0.0
    _weight: float = 0.0
    """The share of the mean that comes from samples, since it starts from zero: 0 … 1."""

    def after(self, at_s: float, done_bytes: int) -> "TransferRate":
        """Return the rate after `done_bytes` have been transferred by `at_s`. A loss of bytes counts as no progress."""
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
        """Return the time for the remaining bytes at this rate; None while it cannot be estimated."""
        if self._weight < 1 - math.exp(-_WARM_UP_S / TIME_CONSTANT_S) or self.bytes_per_s < 1:
            return None
        return max(0, total_bytes - self.done_bytes) / self.bytes_per_s
