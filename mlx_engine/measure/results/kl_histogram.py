"""How the KL divergences of single positions are spread: counts between borders that are equal factors apart.

Small enough to be kept with a result and shown without the arrays; a percentile read from them is off by at most the
distance of two borders, a factor of 1.33.
"""

from collections.abc import Sequence

_PER_DECADE = 8
_LOWEST, _HIGHEST = -7, 2
BIN_EDGES: Sequence[float] = tuple(
    10 ** (_LOWEST + step / _PER_DECADE) for step in range((_HIGHEST - _LOWEST) * _PER_DECADE + 1)
)
"""In nats. What lies below the first, 0 as well, is counted first, and what lies above the last one last."""


def shares_at_or_above(counts: Sequence[int]) -> list[float]:
    """Return the share of positions at or above each of the borders."""
    total = sum(counts)
    shares, above = [], total
    for count in counts[:-1]:
        above -= count
        shares.append(above / total)
    return shares
