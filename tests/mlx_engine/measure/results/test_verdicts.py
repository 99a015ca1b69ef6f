"""Behaviour of saying in words what was measured."""

import numpy as np
import pytest

from mlx_engine.measure.results.fidelity import fidelity
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.verdicts import plus_minus, verdict


def _verdict(flips: int, kl: float = 0.02, *, of: int = 10_000) -> str:
    """Return what is said of so many positions, at `flips` of which the first choices differ."""
    nothing, ids = np.zeros(of, np.float32), np.tile(np.arange(5, dtype=np.int32), (of, 1))
    others = ids.copy()
    others[:flips, 0] = 9
    choices = np.zeros((of, 5), np.float32)
    distances = np.full(of, kl, np.float32)
    return verdict(fidelity([Positions(distances, *(nothing,) * 5, others, choices, ids, choices)]))


@pytest.mark.parametrize(
    ("flips", "words"),
    [
        (0, "no next word differs"),
        (2, "fewer than 1 of 1,000 next words differ"),
        (50, "about 5 of 1,000 next words differ"),
        (99, "about 10 of 1,000 next words differ"),
        (1449, "about 14 of 100 next words differ"),
        (10_000, "about 100 of 100 next words differ"),
    ],
)
def test_differences_are_counted_in_numbers_that_people_picture(flips: int, words: str) -> None:
    """Never "about 0", and "no" only where there is none."""
    assert _verdict(flips) == f"{words} from the original; close"


@pytest.mark.parametrize(
    ("kl", "words"),
    [
        (-1e-6, "nearly identical"),
        (0.0014, "very close"),
        (0.031, "close"),
        (0.072, "somewhat different"),
        (0.45, "clearly different"),
        (1.4, "hardly the same model"),
    ],
)
def test_distances_have_words(kl: float, words: str) -> None:
    """Each step is one of the published tables of quantizations; less than nothing comes of rounding."""
    assert _verdict(1000, kl, of=5000).endswith(f"; {words}")


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0.0431, 0.0021, "0.043 ± 0.002"),
        (0.0431, None, "0.043"),
        (0.00012, 0.00003, "0.00012 ± 0.00003"),
        (1.0, 0.0, "1.000 ± 0"),
        (-1e-9, None, "0.000"),
    ],
)
def test_an_error_has_at_least_one_digit(value: float, error: float | None, words: str) -> None:
    """And its figure as many."""
    assert plus_minus(value, error, 3) == words
