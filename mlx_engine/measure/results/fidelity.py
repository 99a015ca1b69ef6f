"""Summarizes position-by-position comparisons as the figures that are shown. Plain numpy, no MLX.

Standard errors are clustered by chunk: tokens within a chunk are correlated, chunks hardly are. With C chunks of equal
length and m_c the mean of a chunk, s.e. = sd(m_c) / √C. Fewer than four chunks have none: an interval of ± 2 s.e. from
two or three covers the true value in only 60 to 80% of cases. That of the perplexity ratio is paired: it is computed
from the differences of both models at the same positions, and so is much smaller than either model's own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlx_engine.measure.results.kl_histogram import BIN_EDGES
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.results import Fidelity

_WORST_POSITIONS = 20
_MIN_CHUNKS_FOR_ERROR = 4


@dataclass(frozen=True, slots=True)
class _Mean:
    """A mean with its standard error, None with too few chunks."""

    value: float
    se: float | None = None


def summarize(chunks: Sequence[Positions]) -> Fidelity:
    """Summarize `chunks`, which have the same number of positions each."""
    kl = _stacked(chunks, "kl")
    candidate = _stacked(chunks, "true_log_probability")
    reference = _stacked(chunks, "reference_true_log_probability")
    agrees = np.array([chunk.agrees for chunk in chunks], dtype=np.float64)
    percentiles = np.percentile(kl, [50, 90, 95, 99, 99.9, 100])
    mean_kl, agreement, ratio = _mean(kl), _mean(agrees), _mean(reference - candidate)
    perplexity, reference_perplexity = _perplexity(candidate), _perplexity(reference)
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
        reference_perplexity=reference_perplexity.value,
        reference_perplexity_se=reference_perplexity.se,
        log_perplexity_ratio=ratio.value,
        log_perplexity_ratio_se=ratio.se,
        rms_probability_change=float(np.sqrt(np.mean((np.exp(candidate) - np.exp(reference)) ** 2))),
        top1_agreement=agreement.value,
        top1_agreement_se=agreement.se,
        flips=int(agrees.size - agrees.sum()),
        top5_overlap=float(np.mean([chunk.top_overlap for chunk in chunks])),
    )


def _error_bound(chunks: Sequence[Positions]) -> float:
    """Return the maximum error of the mean KL due to rounding and to sampling the tails.

    Rounding errors may all have the same sign. Tail samples are independent; their sum exceeds four standard errors
    once in 16,000 times, and as rarely do n draws miss a share of ln(16,000) / n.
    """
    rounding, tail_se = _stacked(chunks, "rounding"), _stacked(chunks, "tail_se")
    unmet = math.log(16_000) * _stacked(chunks, "unmet").max()
    return float(rounding.mean() + (4 * math.sqrt((tail_se**2).sum()) + unmet) / tail_se.size)


def summarize_by_kind(chunks: Sequence[Positions], kinds: Sequence[str]) -> dict[str, Fidelity]:
    """Summarize the chunks of each kind; `kinds` has the kind of each chunk."""
    return {
        kind: summarize([chunk for chunk, chunk_kind in zip(chunks, kinds, strict=True) if chunk_kind == kind])
        for kind in dict.fromkeys(kinds)
    }


def count_kl(chunks: Sequence[Positions]) -> tuple[int, ...]:
    """Count the positions in the bins that `BIN_EDGES` separate."""
    bins = np.searchsorted(BIN_EDGES, _stacked(chunks, "kl").ravel(), side="right")
    return tuple(map(int, np.bincount(bins, minlength=len(BIN_EDGES) + 1)))


def worst_positions(chunks: Sequence[Positions]) -> list[tuple[int, int]]:
    """Return the positions with the largest KL as (chunk, position), worst first."""
    kl = _stacked(chunks, "kl")
    order = np.argsort(-kl, axis=None, kind="stable")[:_WORST_POSITIONS]
    return [(int(index) // kl.shape[1], int(index) % kl.shape[1]) for index in order]


def _stacked(chunks: Sequence[Positions], name: str) -> NDArray[np.float64]:
    """Return the array `name` of all chunks, of the shape (chunks, positions)."""
    return np.array([getattr(chunk, name) for chunk in chunks], dtype=np.float64)


def _mean(values: NDArray[np.float64]) -> _Mean:
    of_chunks = values.mean(axis=1)
    if len(of_chunks) < _MIN_CHUNKS_FOR_ERROR:
        return _Mean(float(of_chunks.mean()))
    return _Mean(float(of_chunks.mean()), float(of_chunks.std(ddof=1) / math.sqrt(len(of_chunks))))


def _perplexity(log_probabilities: NDArray[np.float64]) -> _Mean:
    """Return exp of the mean negative log-probability, with its error by the delta method."""
    loss = _mean(-log_probabilities)
    perplexity = math.exp(min(loss.value, 700.0))
    return _Mean(perplexity, None if loss.se is None else perplexity * loss.se)
