"""Runs a network over a chunk of tokens and gives its predictions, position by position. All MLX, in one thread."""

from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

_rows_at_once = 64
"""Positions that are worked on at a time in float32, which bounds the memory."""

BLOCK = 128
"""Neighbours of the vocabulary that are looked at together."""


def logits(network: Any, tokens: NDArray[np.int32], first: int, *, cache: Any = None) -> mx.array:
    """Return the logits for the token after each position from `first` to the last but one, evaluated.

    `tokens` has the shape (chunk,); the result is of the network's own type and the shape
    (chunk - 1 - first, vocabulary). With a `cache`, what comes before is read first, as a chat reads its context: its
    logits, which nobody asks for, are not computed then.

    Raises:
        FloatingPointError: one of them is no number.
    """
    if cache is not None and first:
        network(mx.array(tokens[:first])[None], cache=cache)
        mx.eval([layer.state for layer in cache])
        tokens, first = tokens[first:], 0
    result: mx.array = network(mx.array(tokens)[None], cache=cache)[0, first:-1]
    # A row with one NaN or a positive infinity has no finite sum; a token that is ruled out by minus infinity may be.
    is_sound = mx.all(mx.isfinite(mx.logsumexp(result, axis=-1)))
    mx.eval(result, is_sound)
    if not is_sound.item():
        raise FloatingPointError(
            "answers with what is no number (NaN or infinity): its weights are damaged, or overflow in its type. "
            "Download it again, or convert it anew."
        )
    return result


def by_rows(predicted: mx.array) -> Iterator[tuple[slice, mx.array]]:
    """Yield the rows of `predicted` some at a time, in float32, with their place."""
    for at in range(0, len(predicted), _rows_at_once):
        rows = slice(at, min(at + _rows_at_once, len(predicted)))
        yield rows, predicted[rows].astype(mx.float32)


def log_sums(rows: mx.array) -> mx.array:
    """Return logsumexp of each row, of the shape (P, 1).

    WORKAROUND(mlx 0.32.4): on the CPU, `mx.logsumexp` adds float32 numbers one after the other, and is off by 1e-4 with
    a vocabulary of 49,152. Sums of blocks first, it is off by 1e-6.
    """
    blocks, rest = in_blocks(rows)
    parts = mx.concatenate([mx.logsumexp(blocks, axis=-1), rest], axis=-1)
    return mx.logsumexp(parts, axis=-1, keepdims=True)


def in_blocks(rows: mx.array) -> tuple[mx.array, mx.array]:
    """Return rows of the shape (P, V) as (P, V // `BLOCK`, `BLOCK`), and what is left over."""
    whole = rows.shape[1] // BLOCK * BLOCK
    return rows[:, :whole].reshape(len(rows), -1, BLOCK), rows[:, whole:]


def true_tokens(tokens: NDArray[np.int32], first: int) -> NDArray[np.int32]:
    """Return the token that really follows each of those positions, of the shape (chunk - 1 - first,)."""
    return tokens[first + 1 :]
