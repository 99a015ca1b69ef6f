"""The histogram of divergences."""

from dataclasses import fields

import numpy as np
import pytest

from mlx_engine.measure.results.fidelity import count_kl
from mlx_engine.measure.results.kl_histogram import BIN_EDGES, shares_at_or_above
from mlx_engine.measure.results.positions import Positions


def _positions(kl: list[float]) -> Positions:
    """Return positions with these divergences; the other values do not matter."""
    zeros = dict.fromkeys((field.name for field in fields(Positions)), np.zeros((len(kl), 5), np.float32))
    return Positions(**{**zeros, "kl": np.array(kl, np.float32)})


def test_every_position_is_counted_once() -> None:
    """Zero, negative values from rounding, and values above the last edge are included."""
    counts = count_kl([_positions([0.0, -1e-9, 0.02]), _positions([0.5, 3.0, 400.0])])
    assert len(counts) == len(BIN_EDGES) + 1
    assert (counts[0], counts[-1], sum(counts)) == (2, 1, 6)


def test_shares_equal_those_computed_from_the_positions() -> None:
    """At each edge, the share is that of the positions at or above it."""
    kl = np.random.default_rng(0).lognormal(-4, 2, 500).astype(np.float32)
    shares = shares_at_or_above(count_kl([_positions(list(kl))]))
    assert shares == pytest.approx([float(np.mean(kl >= edge)) for edge in BIN_EDGES])
    assert shares == sorted(shares, reverse=True)
