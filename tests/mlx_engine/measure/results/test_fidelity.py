"""Behaviour of summing up what was found."""

import math

import numpy as np
import pytest

from mlx_engine.measure.results.fidelity import summarize, summarize_by_kind, worst_positions
from mlx_engine.measure.results.positions import Positions


def _positions(kl: list[float], *, own: float = 0.5, theirs: float = 0.5, first: int = 1) -> Positions:
    """Positions where the candidate's first choice is `first`, and the reference's is 1."""
    count = len(kl)
    ids = np.tile(np.array([1, 2, 3, 4, 5], np.int32), (count, 1))
    candidate = ids.copy()
    candidate[:, 0] = first
    choices = np.zeros((count, 5), np.float32)
    return Positions(
        kl=np.array(kl, np.float32),
        rounding=np.full(count, 0.01, np.float32),
        tail_se=np.full(count, 0.1, np.float32),
        unmet=np.linspace(0.0, 0.02, count, dtype=np.float32),
        true_log_probability=np.full(count, math.log(own), np.float32),
        reference_true_log_probability=np.full(count, math.log(theirs), np.float32),
        top_ids=candidate,
        top_log_probabilities=choices,
        reference_top_ids=ids,
        reference_top_log_probabilities=choices,
    )


def test_the_error_of_a_mean_is_reckoned_by_chunks() -> None:
    """Positions of one chunk that are all alike are one observation, not many."""
    found = summarize([_positions([kl] * 100) for kl in (0.1, 0.3, 0.1, 0.3)])
    assert found.mean_kl == pytest.approx(0.2)
    assert found.mean_kl_se == pytest.approx(0.1 / math.sqrt(3))


def test_samples_of_tails_even_out_and_roundings_do_not() -> None:
    """Of the one, four standard errors of the mean are told, and what none of them may have met; of the other all."""
    found = summarize([_positions([0.1] * 100)] * 4)
    assert found.kl_error_bound == pytest.approx(0.01 + 4 * 0.1 / math.sqrt(400) + math.log(16_000) * 0.02 / 400)


def test_few_chunks_have_no_error() -> None:
    """They tell too little of how others would differ."""
    chunks = [_positions([0.1]), _positions([0.3]), _positions([0.2]), _positions([0.4])]
    assert summarize(chunks[:1]).mean_kl_se is None
    assert summarize(chunks[:3]).perplexity_se is None
    assert summarize(chunks).mean_kl_se is not None


def test_percentiles_are_of_positions() -> None:
    """The rare bad ones show."""
    found = summarize([_positions([0.0] * 500), _positions([0.0] * 495 + [4.0] * 5)])
    assert (found.median_kl, found.p99_kl, found.max_kl) == (0.0, 0.0, 4.0)
    assert found.p999_kl == 4.0


def test_perplexity_is_the_inverse_of_the_mean_probability() -> None:
    """With a probability of a quarter throughout, it is 4."""
    found = summarize([_positions([0.0] * 10, own=0.25)] * 2)
    assert (found.perplexity, found.reference_perplexity) == (pytest.approx(4), pytest.approx(2))
    assert found.log_perplexity_ratio == pytest.approx(math.log(2))


def test_the_error_of_the_ratio_is_paired() -> None:
    """Texts of different difficulty make each perplexity uncertain, and not their ratio."""
    found = summarize([_positions([0.0], own=0.4, theirs=0.8), _positions([0.0], own=0.1, theirs=0.2)] * 2)
    assert found.log_perplexity_ratio_se == pytest.approx(0, abs=1e-6)
    assert found.perplexity_se is not None
    assert found.perplexity_se > 1


def test_a_change_of_the_true_tokens_probability_is_a_root_mean_square() -> None:
    """A third from a half, everywhere."""
    found = summarize([_positions([0.0] * 4, own=0.3, theirs=0.5)])
    assert found.rms_probability_change == pytest.approx(0.2)


def test_flips_are_positions_where_the_first_choice_differs() -> None:
    """The other four choices still overlap."""
    chunks = [_positions([0.0] * 4), _positions([0.0] * 4, first=9)]
    found = summarize(chunks)
    assert (found.flips, found.top1_agreement) == (4, 0.5)
    assert found.top5_overlap == pytest.approx(0.9)


def test_kinds_are_summed_up_apart() -> None:
    """Code may suffer where prose does not."""
    found = summarize_by_kind([_positions([0.1]), _positions([0.5]), _positions([0.3])], ["prose", "code", "prose"])
    assert found["prose"].mean_kl == pytest.approx(0.2)
    assert found["code"].mean_kl == pytest.approx(0.5)


def test_the_worst_positions_come_first() -> None:
    """They are named by chunk and position."""
    assert worst_positions([_positions([0.1, 3.0]), _positions([2.0, 0.0])])[:2] == [(0, 1), (1, 0)]
