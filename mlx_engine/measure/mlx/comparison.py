"""Holds a candidate's predictions over a chunk against the kept answers of the reference.

With P the reference and Q the candidate, at a position

    KL(P ‖ Q) = Σ_kept p ln(p / q) + m · mean of ln(p / q) over the tokens that stand for the tail of mass m    in nats

The second term is an unbiased estimate of Σ_tail p ln(p / q), since those tokens were drawn with their probability;
its standard error is m · s / √n, with s the deviation among the n of them (Cochran, Sampling Techniques, ch. 8: for
systematic samples of an ordered population that is rather too large). It vanishes as Q nears P. What no sample has met
does not show in s: rare tokens that Q has all but forgotten. In the tail ln(p / q) is at most r = ln(the least p of
those kept / the least q of all): a share f of the tail that is not met adds m f r at most.

Log-probabilities in 16 bits are brought back to a sum of 1, so that a model measured against itself has 0 but for terms
of the second order. What the rounding can do otherwise is, to the first order, at most Σ_kept p |δ| |ln(p / q) - KL| +
m |δ|, with |δ| half a step.
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
    """Run `network`, the candidate, over the tokens of `chunk` and compare.

    Raises:
        NotComparable: it lacks tokens that the reference thinks possible.
        FloatingPointError: a prediction is no number, or rules out what the reference thinks possible.
    """
    predicted = logits(network, chunk.tokens, convention.first_scored, cache=cache)
    if max(chunk.ids.max(), chunk.tail_ids.max()) >= predicted.shape[1]:
        raise NotComparable(
            f"The candidate has a smaller vocabulary than the original, {predicted.shape[1]:,} tokens: the "
            "original may say others, and it cannot be measured against that."
        )
    following = mx.array(true_tokens(chunk.tokens, convention.first_scored))[:, None]
    ends = np.cumsum(chunk.counts, dtype=np.int64)
    with np.errstate(invalid="ignore"):  # What is infinite is told below.
        parts = [_rows(rows, following[place], _Kept.of(chunk, place, ends)) for place, rows in by_rows(predicted)]
    kl, rounding, tail_se, unmet, true, *choices = (
        np.concatenate(part).astype(kind) for part, kind in zip(zip(*parts, strict=True), _kinds, strict=True)
    )
    if not np.isfinite((kl, true, chunk.true_log_probability)).all():
        raise FloatingPointError(
            "gives no probability at all to what the original may say, or the other way round: its divergence is "
            "infinite. Its weights are damaged, or overflow in its type; convert it anew."
        )
    return Positions(kl, rounding, tail_se, unmet, true, chunk.true_log_probability, *choices)


_kinds: tuple[Any, ...] = (*(np.float32,) * 5, np.int32, np.float32, np.int32, np.float32)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of some positions: the likeliest tokens one after the other, and where each position's begin."""

    ids: NDArray[np.uint32]
    log_probabilities: NDArray[Any]
    begins: NDArray[np.int64]
    counts: NDArray[np.uint32]
    tail_ids: NDArray[np.uint32]
    tail_log_probabilities: NDArray[Any]
    tail_mass: NDArray[Any]

    @classmethod
    def of(cls, chunk: ReferenceChunk, place: slice, ends: NDArray[np.int64]) -> "_Kept":
        """Return what `chunk` has of the positions `place`, brought back to a sum of 1."""
        counts = chunk.counts[place]
        begins = ends[place] - counts
        first, last = begins[0], ends[place][-1]
        own, tail, mass = -STEP * chunk.steps[first:last], -STEP * chunk.tail_steps[place], chunk.tail_mass[place]
        total = np.add.reduceat(np.exp(own), begins - first) + mass
        shift = np.log(total)
        return cls(
            ids=chunk.ids[first:last],
            log_probabilities=own - np.repeat(shift, counts),
            begins=begins - first,
            counts=counts,
            tail_ids=chunk.tail_ids[place],
            tail_log_probabilities=tail - shift[:, None],
            tail_mass=mass / total,
        )


def _rows(rows: mx.array, following: mx.array, kept: _Kept) -> tuple[NDArray[Any], ...]:
    """Return KL and its errors, what is given to `following` (P, 1), and the choices of candidate and reference."""
    # 1. What the candidate says of those tokens.
    scale = log_sums(rows)
    flat = np.repeat(np.arange(len(rows)) * rows.shape[1], kept.counts) + kept.ids
    theirs = mx.take(rows.flatten(), mx.array(flat.astype(np.int32)))
    tail_theirs = mx.take_along_axis(rows, mx.array(kept.tail_ids), axis=-1) - scale
    true = mx.take_along_axis(rows, following, axis=-1) - scale
    least = mx.where(mx.isinf(rows), mx.inf, rows).min(axis=-1, keepdims=True) - scale
    top, ranked = _likeliest(rows)
    ranked = ranked - scale
    mx.eval(scale, theirs, tail_theirs, true, least, top, ranked)
    # 2. The sums, in float64.
    ratio = kept.log_probabilities - np.array(theirs) + np.repeat(np.array(scale)[:, 0], kept.counts)
    weight, mass = np.exp(kept.log_probabilities), kept.tail_mass
    # Where nothing is left out, what stands for it may be ruled out by both.
    tail_ratio = np.where(mass[:, None] > 0, kept.tail_log_probabilities - np.array(tail_theirs), 0.0)
    kl = np.add.reduceat(weight * ratio, kept.begins) + mass * tail_ratio.mean(axis=-1)
    tail_se = mass * tail_ratio.std(axis=-1, ddof=1) / math.sqrt(SAMPLES)
    away = np.add.reduceat(weight * np.abs(ratio - np.repeat(kl, kept.counts)), kept.begins)
    ends = kept.begins + kept.counts - 1
    unmet = mass * np.maximum(kept.log_probabilities[ends] - np.array(least)[:, 0], 0) / SAMPLES
    # 3. The reference's choices, which are the first of those kept.
    choices = kept.begins[:, None] + np.arange(TOP)
    own_ids, own = kept.ids[choices], kept.log_probabilities[choices]
    rounding = STEP / 2 * (away + mass)
    return kl, rounding, tail_se, unmet, np.array(true)[:, 0], np.array(top), np.array(ranked), own_ids, own


def _likeliest(rows: mx.array) -> tuple[mx.array, mx.array]:
    """Return ids and logits of the `TOP` likeliest tokens, in order; of equals, the one with the lower id first.

    They are looked for in the best blocks of the vocabulary only, since sorting all of it takes long.
    """
    blocks, rest = in_blocks(rows)
    best = mx.sort(mx.argsort(-blocks.max(axis=-1), axis=-1)[:, :TOP], axis=-1)
    inside = (best[:, :, None] * BLOCK + mx.arange(BLOCK)).reshape(len(rows), -1)
    beyond = mx.broadcast_to(mx.arange(rows.shape[1] - rest.shape[1], rows.shape[1]), rest.shape)
    ids = mx.concatenate([inside, beyond], axis=-1).astype(mx.int32)
    values = mx.take_along_axis(rows, ids, axis=-1)
    order = mx.argsort(-values, axis=-1)[:, :TOP]
    return mx.take_along_axis(ids, order, axis=-1), mx.take_along_axis(values, order, axis=-1)
