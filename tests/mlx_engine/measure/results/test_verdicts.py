"""Verdicts on measured divergences."""

import numpy as np
import pytest

from mlx_engine.measure.results.fidelity import summarize
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.verdicts import verdict


def _verdict(flips: int, kl: float = 0.02, *, of: int = 10_000) -> str:
    """Return the verdict on `of` positions; the most likely tokens differ at `flips` of them."""
    zeros, ids = np.zeros(of, np.float32), np.tile(np.arange(5, dtype=np.int32), (of, 1))
    candidate_ids = ids.copy()
    candidate_ids[:flips, 0] = 9
    choices = np.zeros((of, 5), np.float32)
    distances = np.full(of, kl, np.float32)
    return verdict(summarize([Positions(distances, *(zeros,) * 5, candidate_ids, choices, ids, choices)]))


@pytest.mark.parametrize(
    ("flips", "text"),
    [
        (0, "no next word differs"),
        (2, "fewer than 1 of 1,000 next words differ"),
        (50, "about 5 of 1,000 next words differ"),
        (99, "about 10 of 1,000 next words differ"),
        (1449, "about 14 of 100 next words differ"),
        (10_000, "about 100 of 100 next words differ"),
    ],
)
def test_mismatches_are_counted_in_familiar_numbers(flips: int, text: str) -> None:
    """Never "about 0", and "no" only where there is none."""
    assert _verdict(flips) == f"{text} from the original; close"


@pytest.mark.parametrize(
    ("kl", "text"),
    [
        (-1e-6, "nearly identical"),
        (0.0014, "very close"),
        (0.031, "close"),
        (0.072, "somewhat different"),
        (0.45, "clearly different"),
        (1.4, "hardly the same model"),
    ],
)
def test_distances_have_words(kl: float, text: str) -> None:
    """Each step is one of the published tables of quantizations; rounding can make a KL negative."""
    assert _verdict(1000, kl, of=5000).endswith(f"; {text}")
