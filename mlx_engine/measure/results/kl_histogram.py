"""Histogram of KL divergence over positions, with logarithmic bins.

It is small enough to be saved with a result. A percentile read from it is off by at most the width of a bin, a factor
of 1.33.
"""

from collections.abc import Sequence

_PER_DECADE = 8
_LOWEST, _HIGHEST = -7, 2
BIN_EDGES: Sequence[float] = tuple(
    10 ** (_LOWEST + step / _PER_DECADE) for step in range((_HIGHEST - _LOWEST) * _PER_DECADE + 1)
)
"""In nats. The first count is of values below the first edge, including 0; the last of those above the last edge."""


def shares_at_or_above(counts: Sequence[int]) -> list[float]:
    """Return the share of positions at or above each bin edge."""
    total = sum(counts)
    shares, above = [], total
    for count in counts[:-1]:
        above -= count
        shares.append(above / total)
    return shares
