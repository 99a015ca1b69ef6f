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
from mlx_engine.measure.forward import by_rows, logits, true_tokens
from mlx_engine.measure.positions import Positions
from mlx_engine.measure.reference import TOP, ReferenceChunk

_rounding = 2.0**-11
"""Of a number in 16 bits with 11 of precision, relative."""
_block = 64
"""The likeliest tokens are looked for in the best blocks of the vocabulary, since sorting all of it takes long."""


def compare(network: Any, chunk: ReferenceChunk, convention: Convention, *, cache: Any = None) -> Positions:
    """Run `network`, the candidate, over the tokens of `chunk` and compare.

    Raises:
        BadCorpus: it has another vocabulary.
        EngineError: a prediction is no number.
    """
    predicted = logits(network, chunk.tokens, convention.first_scored, cache=cache)
    if chunk.ids.max(initial=0) >= predicted.shape[1]:
        raise BadCorpus("The candidate has a smaller vocabulary than the original: it cannot be measured against it.")
    following = mx.array(true_tokens(chunk.tokens, convention.first_scored))[:, None]
    bounds = np.concatenate([[0], np.cumsum(chunk.counts, dtype=np.int64)])
    parts = [
        _rows(rows, following[place], chunk, place, bounds[place.start : place.stop + 1])
        for place, rows in by_rows(predicted)
    ]
    kl, error, true, ids, ranked, own_ids, own = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Positions(kl, error, true, chunk.true_log_probability, ids, ranked, own_ids, own)


def _rows(
    rows: mx.array, following: mx.array, chunk: ReferenceChunk, place: slice, bounds: NDArray[np.int64]
) -> tuple[NDArray[Any], ...]:
    """Return KL, its error, what is given to `following` (P, 1), and the choices of candidate and reference."""
    ids, own = _padded(chunk, bounds)
    is_kept = mx.isfinite(own)
    mass, entropy = mx.array(chunk.tail_mass[place]), mx.array(chunk.tail_entropy[place])
    total = mx.sum(mx.exp(own), axis=-1) + mass
    own = own - mx.log(total)[:, None]
    mass = mass / total
    scale = mx.logsumexp(rows, axis=-1, keepdims=True)
    theirs = mx.take_along_axis(rows, ids, axis=-1) - scale
    weight, ratio = mx.where(is_kept, mx.exp(own), 0), mx.where(is_kept, own - theirs, 0)
    kept = mx.sum(weight * ratio, axis=-1)
    rounding = _rounding * mx.sum(mx.where(is_kept, weight * own * (ratio - kept[:, None]), 0).abs(), axis=-1)
    rest = mx.put_along_axis(rows, ids, mx.array(-mx.inf), axis=-1)
    has_tail = mass > 0
    least = mx.where(has_tail, mass * (mx.log(mass) + scale[:, 0] - mx.logsumexp(rest, axis=-1)), 0)
    lowest = mx.min(mx.where(mx.isfinite(rest), rest, mx.inf), axis=-1) - scale[:, 0]
    most = mx.where(has_tail, -entropy - mass * lowest, 0)
    true = mx.take_along_axis(rows, following, axis=-1) - scale
    top, ranked = _likeliest(rows)
    found = (kept + least, mx.maximum(most - least, 0) + rounding, true[:, 0], top, ranked - scale)
    mx.eval(found)
    return *map(np.array, found), np.array(ids[:, :TOP]), np.array(own[:, :TOP])


def _likeliest(rows: mx.array) -> tuple[mx.array, mx.array]:
    """Return ids and logits of the `TOP` likeliest tokens, in order; of equals, the one with the lower id first."""
    count, vocabulary = rows.shape
    whole = vocabulary // _block * _block
    highest = rows[:, :whole].reshape(count, -1, _block).max(axis=-1)
    best = mx.sort(mx.argsort(-highest, axis=-1)[:, :TOP], axis=-1)
    inside = (best[:, :, None] * _block + mx.arange(_block)).reshape(count, -1)
    beyond = mx.broadcast_to(mx.arange(whole, vocabulary), (count, vocabulary - whole))
    ids = mx.concatenate([inside, beyond], axis=-1).astype(mx.int32)
    values = mx.take_along_axis(rows, ids, axis=-1)
    order = mx.argsort(-values, axis=-1)[:, :TOP]
    return mx.take_along_axis(ids, order, axis=-1), mx.take_along_axis(values, order, axis=-1)


def _padded(chunk: ReferenceChunk, bounds: NDArray[np.int64]) -> tuple[mx.array, mx.array]:
    """Return kept ids and log-probabilities as matrices. Shorter rows are filled up with their first id, at -∞."""
    counts = np.diff(bounds)
    is_kept = np.arange(counts.max())[None] < counts[:, None]
    ids = np.repeat(chunk.ids[bounds[:-1]].astype(np.int32)[:, None], is_kept.shape[1], axis=1)
    ids[is_kept] = chunk.ids[bounds[0] : bounds[-1]]
    own = np.full(is_kept.shape, -np.inf, np.float32)
    own[is_kept] = chunk.log_probabilities[bounds[0] : bounds[-1]]
    return mx.array(ids), mx.array(own)
