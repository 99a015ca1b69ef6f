"""Figures computed from positions."""

import math

import numpy as np
import pytest

from mlx_engine.measure.results.fidelity import summarize, summarize_by_kind, worst_positions
from mlx_engine.measure.results.positions import Positions


def _positions(kl: list[float], *, candidate: float = 0.5, reference: float = 0.5, first: int = 1) -> Positions:
    """Return positions where the candidate's most likely token is `first`, and the reference's is 1."""
    count = len(kl)
    ids = np.tile(np.array([1, 2, 3, 4, 5], np.int32), (count, 1))
    candidate_ids = ids.copy()
    candidate_ids[:, 0] = first
    choices = np.zeros((count, 5), np.float32)
    return Positions(
        kl=np.array(kl, np.float32),
        rounding=np.full(count, 0.01, np.float32),
        tail_se=np.full(count, 0.1, np.float32),
        unmet=np.linspace(0.0, 0.02, count, dtype=np.float32),
        true_log_probability=np.full(count, math.log(candidate), np.float32),
        reference_true_log_probability=np.full(count, math.log(reference), np.float32),
        top_ids=candidate_ids,
        top_log_probabilities=choices,
        reference_top_ids=ids,
        reference_top_log_probabilities=choices,
    )


def test_the_standard_error_of_a_mean_is_clustered_by_chunk() -> None:
    """Equal positions of one chunk count as a single observation."""
    fidelity = summarize([_positions([kl] * 100) for kl in (0.1, 0.3, 0.1, 0.3)])
    assert fidelity.mean_kl == pytest.approx(0.2)
    assert fidelity.mean_kl_se == pytest.approx(0.1 / math.sqrt(3))


def test_sampling_errors_average_out_and_rounding_errors_do_not() -> None:
    """The bound has four standard errors of the sampling, the share that samples may miss, and the full rounding."""
    fidelity = summarize([_positions([0.1] * 100)] * 4)
    assert fidelity.kl_error_bound == pytest.approx(0.01 + 4 * 0.1 / math.sqrt(400) + math.log(16_000) * 0.02 / 400)


def test_few_chunks_have_no_standard_error() -> None:
    """Their deviation does not represent that of other chunks."""
    chunks = [_positions([0.1]), _positions([0.3]), _positions([0.2]), _positions([0.4])]
    assert summarize(chunks[:1]).mean_kl_se is None
    assert summarize(chunks[:3]).perplexity_se is None
    assert summarize(chunks).mean_kl_se is not None


def test_percentiles_are_taken_over_positions() -> None:
    """They include rare outliers."""
    fidelity = summarize([_positions([0.0] * 500), _positions([0.0] * 495 + [4.0] * 5)])
    assert (fidelity.median_kl, fidelity.p99_kl, fidelity.max_kl) == (0.0, 0.0, 4.0)
    assert fidelity.p999_kl == 4.0


def test_perplexity_is_the_inverse_of_the_mean_probability() -> None:
    """If every probability is a quarter, it is 4."""
    fidelity = summarize([_positions([0.0] * 10, candidate=0.25)] * 2)
    assert (fidelity.perplexity, fidelity.reference_perplexity) == (pytest.approx(4), pytest.approx(2))
    assert fidelity.log_perplexity_ratio == pytest.approx(math.log(2))


def test_the_standard_error_of_the_ratio_is_paired() -> None:
    """Texts of different difficulty make each perplexity uncertain, but not their ratio."""
    fidelity = summarize(
        [_positions([0.0], candidate=0.4, reference=0.8), _positions([0.0], candidate=0.1, reference=0.2)] * 2
    )
    assert fidelity.log_perplexity_ratio_se == pytest.approx(0, abs=1e-6)
    assert fidelity.perplexity_se is not None
    assert fidelity.perplexity_se > 1


def test_the_change_of_the_true_tokens_probability_is_a_root_mean_square() -> None:
    """With a change from 0.5 to 0.3 everywhere, it is 0.2."""
    fidelity = summarize([_positions([0.0] * 4, candidate=0.3, reference=0.5)])
    assert fidelity.rms_probability_change == pytest.approx(0.2)


def test_flips_are_positions_where_the_most_likely_token_differs() -> None:
    """The other four tokens still overlap."""
    chunks = [_positions([0.0] * 4), _positions([0.0] * 4, first=9)]
    fidelity = summarize(chunks)
    assert (fidelity.flips, fidelity.top1_agreement) == (4, 0.5)
    assert fidelity.top5_overlap == pytest.approx(0.9)


def test_each_kind_has_its_figures() -> None:
    """Code may lose more than prose."""
    by_kind = summarize_by_kind([_positions([0.1]), _positions([0.5]), _positions([0.3])], ["prose", "code", "prose"])
    assert by_kind["prose"].mean_kl == pytest.approx(0.2)
    assert by_kind["code"].mean_kl == pytest.approx(0.5)


def test_positions_are_sorted_by_divergence() -> None:
    """Each is identified by chunk and position."""
    assert worst_positions([_positions([0.1, 3.0]), _positions([2.0, 0.0])])[:2] == [(0, 1), (1, 0)]
