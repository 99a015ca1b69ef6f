"""Compares a candidate's predictions over a chunk with the stored predictions of the reference.

With P the reference and Q the candidate, at each position

    KL(P ‖ Q) = Σ_head p ln(p / q) + m · mean of ln(p / q) over the samples of the tail of mass m    in nats

The head is the stored most likely tokens, the tail all others. The second term is an unbiased estimate of
Σ_tail p ln(p / q), since the samples were drawn with their probability; its standard error is m · s / √n, with s the
standard deviation among the n samples (Cochran, Sampling Techniques, ch. 8: for systematic samples of an ordered
population this is an overestimate). It vanishes as Q approaches P. It does not cover tokens that no sample has hit,
such as rare ones that Q has nearly forgotten. In the tail, ln(p / q) is at most r = ln(least p of the head / least q
of all), so a share f of the tail without a sample adds at most m f r.

Log-probabilities in 16 bits are renormalized, so that a model compared with itself has a KL of 0 up to second-order
terms. The remaining rounding error is, to first order, at most Σ_head p |δ| |ln(p / q) - KL| + m |δ|, with |δ| half a
step.
"""

import math
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import NotComparable
from mlx_engine.measure.mlx.forward import BLOCK, by_rows, in_blocks, log_sums, logits, true_tokens
from mlx_engine.measure.mlx.reference import SAMPLES, STEP, TOP, ReferenceChunk
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.positions import Positions


def compare(network: Any, chunk: ReferenceChunk, convention: Convention, *, cache: Any = None) -> Positions:
    """Run `network`, the candidate, over the tokens of `chunk` and compare its predictions.

    Raises:
        NotComparable: its vocabulary lacks tokens that the reference can predict.
        FloatingPointError: a prediction is NaN or infinite, or has no probability for a token that the reference can
            predict.
    """
    predicted = logits(network, chunk.tokens, convention.first_scored, cache=cache)
    if max(chunk.ids.max(), chunk.tail_ids.max()) >= predicted.shape[1]:
        raise NotComparable(
            f"The candidate has a smaller vocabulary ({predicted.shape[1]:,} tokens) and lacks tokens that the "
            "original can predict, so the two cannot be compared."
        )
    following = mx.array(true_tokens(chunk.tokens, convention.first_scored))[:, None]
    ends = np.cumsum(chunk.counts, dtype=np.int64)
    with np.errstate(invalid="ignore"):  # Infinite values raise an error below.
        parts = [_compare_rows(rows, following[at], _Head.of(chunk, at, ends)) for at, rows in by_rows(predicted)]
    kl, rounding, tail_se, unmet, true, *choices = (
        np.concatenate(part).astype(dtype) for part, dtype in zip(zip(*parts, strict=True), _DTYPES, strict=True)
    )
    if not np.isfinite((kl, true, chunk.true_log_probability)).all():
        raise FloatingPointError(
            "gives zero probability to a token that the original can predict, or the other way round, so the "
            "divergence is infinite. Its weights are damaged, or overflow in its data type; convert it again."
        )
    return Positions(kl, rounding, tail_se, unmet, true, chunk.true_log_probability, *choices)


_DTYPES: tuple[Any, ...] = (*(np.float32,) * 5, np.int32, np.float32, np.int32, np.float32)


@dataclass(frozen=True, slots=True)
class _Head:
    """The stored tokens of some positions: those of each position start at `starts`; `tail_…` are its samples."""

    ids: NDArray[np.uint32]
    log_probabilities: NDArray[Any]
    starts: NDArray[np.int64]
    counts: NDArray[np.uint32]
    tail_ids: NDArray[np.uint32]
    tail_log_probabilities: NDArray[Any]
    tail_mass: NDArray[Any]

    @classmethod
    def of(cls, chunk: ReferenceChunk, at: slice, ends: NDArray[np.int64]) -> "_Head":
        """Return the tokens of `chunk` for the positions `at`, with renormalized probabilities."""
        counts = chunk.counts[at]
        starts = ends[at] - counts
        first, last = starts[0], ends[at][-1]
        head, tail, mass = -STEP * chunk.steps[first:last], -STEP * chunk.tail_steps[at], chunk.tail_mass[at]
        total = np.add.reduceat(np.exp(head), starts - first) + mass
        shift = np.log(total)
        return cls(
            ids=chunk.ids[first:last],
            log_probabilities=head - np.repeat(shift, counts),
            starts=starts - first,
            counts=counts,
            tail_ids=chunk.tail_ids[at],
            tail_log_probabilities=tail - shift[:, None],
            tail_mass=mass / total,
        )


def _compare_rows(rows: mx.array, following: mx.array, head: _Head) -> tuple[NDArray[Any], ...]:
    """Return KL and its errors, the log-probability of `following` (P, 1), and the top tokens of both models."""
    # 1. The candidate's log-probabilities of the stored tokens.
    scale = log_sums(rows)
    flat = np.repeat(np.arange(len(rows)) * rows.shape[1], head.counts) + head.ids
    candidate = mx.take(rows.flatten(), mx.array(flat.astype(np.int32)))
    tail_candidate = mx.take_along_axis(rows, mx.array(head.tail_ids), axis=-1) - scale
    true = mx.take_along_axis(rows, following, axis=-1) - scale
    least = mx.where(mx.isinf(rows), mx.inf, rows).min(axis=-1, keepdims=True) - scale
    top, ranked = _top_tokens(rows)
    ranked = ranked - scale
    mx.eval(scale, candidate, tail_candidate, true, least, top, ranked)
    # 2. The sums, in float64.
    ratio = head.log_probabilities - np.array(candidate) + np.repeat(np.array(scale)[:, 0], head.counts)
    weight, mass = np.exp(head.log_probabilities), head.tail_mass
    # Without a tail, its samples may have zero probability in both models.
    tail_ratio = np.where(mass[:, None] > 0, head.tail_log_probabilities - np.array(tail_candidate), 0.0)
    kl = np.add.reduceat(weight * ratio, head.starts) + mass * tail_ratio.mean(axis=-1)
    tail_se = mass * tail_ratio.std(axis=-1, ddof=1) / math.sqrt(SAMPLES)
    deviation = np.add.reduceat(weight * np.abs(ratio - np.repeat(kl, head.counts)), head.starts)
    ends = head.starts + head.counts - 1
    unmet = mass * np.maximum(head.log_probabilities[ends] - np.array(least)[:, 0], 0) / SAMPLES
    # 3. The reference's top tokens, which are the first of the head.
    top_of_head = head.starts[:, None] + np.arange(TOP)
    reference_top, reference_ranked = head.ids[top_of_head], head.log_probabilities[top_of_head]
    rounding = STEP / 2 * (deviation + mass)
    errors = (rounding, tail_se, unmet)
    return kl, *errors, np.array(true)[:, 0], np.array(top), np.array(ranked), reference_top, reference_ranked


def _top_tokens(rows: mx.array) -> tuple[mx.array, mx.array]:
    """Return the ids and logits of the `TOP` most likely tokens in order; ties are broken by the lower id.

    Only the best blocks of the vocabulary are searched, since sorting all of it is slow.
    """
    blocks, remainder = in_blocks(rows)
    best = mx.sort(mx.argsort(-blocks.max(axis=-1), axis=-1)[:, :TOP], axis=-1)
    inside = (best[:, :, None] * BLOCK + mx.arange(BLOCK)).reshape(len(rows), -1)
    outside = mx.broadcast_to(mx.arange(rows.shape[1] - remainder.shape[1], rows.shape[1]), remainder.shape)
    ids = mx.concatenate([inside, outside], axis=-1).astype(mx.int32)
    values = mx.take_along_axis(rows, ids, axis=-1)
    order = mx.argsort(-values, axis=-1)[:, :TOP]
    return mx.take_along_axis(ids, order, axis=-1), mx.take_along_axis(values, order, axis=-1)
