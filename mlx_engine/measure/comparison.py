"""Holds a candidate's predictions over a chunk against the kept answers of the reference.

With P the reference and Q the candidate, at a position

    KL(P ‖ Q) = Σ_kept p ln(p / q) + Σ_tail p ln(p / q)      in nats

Of the tail only its mass m and its entropy h = -Σ_tail p ln p are known. By the log-sum inequality its part is at least
m ln(m / Σ_tail q), which is what is reported; and it is at most -h - m ln(min_tail q). Log-probabilities in 16 bits
are brought back to a sum of 1, so that a model measured against itself has 0 but for terms of the second order. What
the rounding can do otherwise is, to the first order, Σ p |δ| |ln(p / q) - KL|, with |δ| ≤ 2⁻¹¹ |ln p|. The bound of the
error is the sum of both.
"""

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.forward import log_probabilities, true_tokens
from mlx_engine.measure.positions import Positions
from mlx_engine.measure.reference import TOP, ReferenceChunk

_rows_at_once = 64
_rounding = 2.0**-11
"""Of a number in 16 bits with 11 of precision, relative."""


def compare(network: Any, chunk: ReferenceChunk, convention: Convention, *, cache: Any = None) -> Positions:
    """Run `network`, the candidate, over the tokens of `chunk` and compare.

    Raises:
        BadCorpus: it has another vocabulary.
        EngineError: a prediction is no number.
    """
    predicted = log_probabilities(network, chunk.tokens, convention.first_scored, cache=cache)
    if chunk.ids.max(initial=0) >= predicted.shape[1]:
        raise BadCorpus("The candidate has a smaller vocabulary than the original: it cannot be measured against it.")
    following = mx.array(true_tokens(chunk.tokens, convention.first_scored))
    true = mx.take_along_axis(predicted, following[:, None], axis=-1)[:, 0]
    bounds = np.concatenate([[0], np.cumsum(chunk.counts, dtype=np.int64)])
    parts = []
    for at in range(0, len(chunk.counts), _rows_at_once):
        rows = slice(at, min(at + _rows_at_once, len(chunk.counts)))
        parts.append(_rows(predicted[rows], chunk, rows, bounds[rows.start : rows.stop + 1]))
    kl, error, ids, ranked, own_ids, own = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Positions(kl, error, np.array(true), chunk.true_log_probability, ids, ranked, own_ids, own)


def _rows(
    predicted: mx.array, chunk: ReferenceChunk, rows: slice, bounds: NDArray[np.int64]
) -> tuple[NDArray[Any], ...]:
    """Return KL and its error, and the choices of the candidate and of the reference, of some positions."""
    ids, own = _padded(chunk, bounds)
    is_kept = mx.isfinite(own)
    mass, entropy = mx.array(chunk.tail_mass[rows]), mx.array(chunk.tail_entropy[rows])
    total = mx.sum(mx.exp(own), axis=-1) + mass
    own = own - mx.log(total)[:, None]
    mass = mass / total
    theirs = mx.take_along_axis(predicted, ids, axis=-1)
    weight, ratio = mx.where(is_kept, mx.exp(own), 0), mx.where(is_kept, own - theirs, 0)
    kept = mx.sum(weight * ratio, axis=-1)
    rounding = _rounding * mx.sum(mx.where(is_kept, weight * own * (ratio - kept[:, None]), 0).abs(), axis=-1)
    rest = mx.put_along_axis(predicted, ids, mx.array(-mx.inf), axis=-1)
    has_tail = mass > 0
    least = mx.where(has_tail, mass * (mx.log(mass) - mx.logsumexp(rest, axis=-1)), 0)
    lowest = mx.min(mx.where(mx.isfinite(rest), rest, mx.inf), axis=-1)
    most = mx.where(has_tail, -entropy - mass * lowest, 0)
    top = mx.argpartition(-predicted, TOP, axis=-1)[:, :TOP]
    ranked = mx.take_along_axis(predicted, top, axis=-1)
    order = mx.argsort(-ranked, axis=-1)
    top, ranked = (mx.take_along_axis(part, order, axis=-1) for part in (top, ranked))
    found = (kept + least, mx.maximum(most - least, 0) + rounding, top.astype(mx.int32), ranked)
    mx.eval(found)
    kl, error, top_ids, top_log_probabilities = map(np.array, found)
    return kl, error, top_ids, top_log_probabilities, *_choices(ids, own)


def _padded(chunk: ReferenceChunk, bounds: NDArray[np.int64]) -> tuple[mx.array, mx.array]:
    """Return kept ids and log-probabilities as matrices. Shorter rows are filled up with their first id, at -∞."""
    counts = np.diff(bounds)
    is_kept = np.arange(counts.max())[None] < counts[:, None]
    ids = np.repeat(chunk.ids[bounds[:-1]].astype(np.int32)[:, None], is_kept.shape[1], axis=1)
    ids[is_kept] = chunk.ids[bounds[0] : bounds[-1]]
    own = np.full(is_kept.shape, -np.inf, np.float32)
    own[is_kept] = chunk.log_probabilities[bounds[0] : bounds[-1]]
    return mx.array(ids), mx.array(own)


def _choices(ids: mx.array, own: mx.array) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    return np.array(ids[:, :TOP]), np.array(own[:, :TOP])
