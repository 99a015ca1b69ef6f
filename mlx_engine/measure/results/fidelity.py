"""From what was found position by position to the figures that are shown: plain numpy, no MLX.

Standard errors are clustered by chunk: the tokens of a chunk depend on each other, chunks hardly do. With C chunks of
equally many positions and m_c the mean over a chunk, s.e. = sd(m_c) / √C. Of fewer than four chunks none is told: twice
that of two or three holds the truth in 6 to 8 of 10 cases only. That of the ratio of perplexities is paired: it is
computed of the differences between both models at the same positions, and so much smaller than either's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlx_engine.measure.results.kl_histogram import BIN_EDGES
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.results import Fidelity

_worst = 20
_least_chunks = 4


@dataclass(frozen=True, slots=True)
class _Mean:
    """A mean with its standard error; None with so few chunks that they tell too little of it."""

    value: float
    se: float | None = None


def summarize(chunks: Sequence[Positions]) -> Fidelity:
    """Sum up `chunks`, of equally many positions each."""
    kl = _stacked(chunks, "kl")
    own, theirs = _stacked(chunks, "true_log_probability"), _stacked(chunks, "reference_true_log_probability")
    agrees = np.array([chunk.agrees for chunk in chunks], dtype=np.float64)
    percentiles = np.percentile(kl, [50, 90, 95, 99, 99.9, 100])
    mean_kl, agreement, ratio = _mean(kl), _mean(agrees), _mean(theirs - own)
    perplexity, reference = _perplexity(own), _perplexity(theirs)
    return Fidelity(
        positions=kl.size,
        chunks=len(chunks),
        mean_kl=mean_kl.value,
        mean_kl_se=mean_kl.se,
        kl_error_bound=_error_bound(chunks),
        **dict(
            zip(("median_kl", "p90_kl", "p95_kl", "p99_kl", "p999_kl", "max_kl"), map(float, percentiles), strict=True)
        ),
        perplexity=perplexity.value,
        perplexity_se=perplexity.se,
        reference_perplexity=reference.value,
        reference_perplexity_se=reference.se,
        log_perplexity_ratio=ratio.value,
        log_perplexity_ratio_se=ratio.se,
        rms_probability_change=float(np.sqrt(np.mean((np.exp(own) - np.exp(theirs)) ** 2))),
        top1_agreement=agreement.value,
        top1_agreement_se=agreement.se,
        flips=int(agrees.size - agrees.sum()),
        top5_overlap=float(np.mean([chunk.top_overlap for chunk in chunks])),
    )


def _error_bound(chunks: Sequence[Positions]) -> float:
    """Return how far the mean KL may be from that of the whole vocabulary: roundings may all go the same way, while
    the samples of the tails are independent; four of their standard errors are passed once in 16,000 times. A share of
    ln(16,000) / n is missed by n draws as rarely.
    """
    rounding, tail_se = _stacked(chunks, "rounding"), _stacked(chunks, "tail_se")
    unmet = math.log(16_000) * _stacked(chunks, "unmet").max()
    return float(rounding.mean() + (4 * math.sqrt((tail_se**2).sum()) + unmet) / tail_se.size)


def summarize_by_kind(chunks: Sequence[Positions], kinds: Sequence[str]) -> dict[str, Fidelity]:
    """Sum up the chunks of each kind; `kinds` says of which each is."""
    return {
        kind: summarize([chunk for chunk, own in zip(chunks, kinds, strict=True) if own == kind])
        for kind in dict.fromkeys(kinds)
    }


def count_kl(chunks: Sequence[Positions]) -> tuple[int, ...]:
    """Count the positions between each two of `BORDERS`, before the first and after the last."""
    places = np.searchsorted(BIN_EDGES, _stacked(chunks, "kl").ravel(), side="right")
    return tuple(map(int, np.bincount(places, minlength=len(BIN_EDGES) + 1)))


def worst_positions(chunks: Sequence[Positions]) -> list[tuple[int, int]]:
    """Return the positions of the greatest KL, as (chunk, position), the worst first."""
    kl = _stacked(chunks, "kl")
    order = np.argsort(-kl, axis=None, kind="stable")[:_worst]
    return [(int(place) // kl.shape[1], int(place) % kl.shape[1]) for place in order]


def _stacked(chunks: Sequence[Positions], name: str) -> NDArray[np.float64]:
    """Return the values of that name with the shape (chunks, positions)."""
    return np.array([getattr(chunk, name) for chunk in chunks], dtype=np.float64)


def _mean(values: NDArray[np.float64]) -> _Mean:
    of_chunks = values.mean(axis=1)
    if len(of_chunks) < _least_chunks:
        return _Mean(float(of_chunks.mean()))
    return _Mean(float(of_chunks.mean()), float(of_chunks.std(ddof=1) / math.sqrt(len(of_chunks))))


def _perplexity(log_probabilities: NDArray[np.float64]) -> _Mean:
    """Return exp of the mean negative log-probability; its error by the first derivative."""
    loss = _mean(-log_probabilities)
    perplexity = math.exp(min(loss.value, 700.0))
    return _Mean(perplexity, None if loss.se is None else perplexity * loss.se)
