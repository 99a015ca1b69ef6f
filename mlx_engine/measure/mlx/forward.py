"""Runs a network over a chunk of tokens and returns its logits at each position. Uses MLX, in one thread."""

from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.inference.sampling import UNSOUND_LOGITS
from mlx_engine.networks.rotation import expected_length

_ROWS_AT_ONCE = 64
"""Positions processed at a time in float32, which limits the memory."""

BLOCK = 128
"""Consecutive tokens of the vocabulary that are processed together."""


def logits(network: Any, tokens: NDArray[np.int32], first: int, *, cache: Any = None) -> mx.array:
    """Return the evaluated logits for the next token at each position from `first` to the second to last.

    `tokens` has the shape (chunk,); the result has the dtype of the network and the shape
    (chunk - 1 - first, vocabulary). With a `cache`, the tokens before `first` are read separately, as in a chat, and
    their logits are not computed.

    Raises:
        FloatingPointError: a logit is NaN or infinite.
    """
    if cache is not None and first:
        with expected_length(network, len(tokens)):
            network(mx.array(tokens[:first])[None], cache=cache)
            mx.eval([layer.state for layer in cache])
        tokens, first = tokens[first:], 0
    result: mx.array = network(mx.array(tokens)[None], cache=cache)[0, first:-1]
    # NaN or positive infinity make the sum of a row non-finite. Minus infinity, for an impossible token, is valid.
    is_sound = mx.all(mx.isfinite(mx.logsumexp(result, axis=-1)))
    mx.eval(result, is_sound)
    if not is_sound.item():
        raise FloatingPointError(UNSOUND_LOGITS)
    return result


def by_rows(predicted: mx.array) -> Iterator[tuple[slice, mx.array]]:
    """Yield the rows of `predicted` in groups, in float32, each with its slice."""
    for at in range(0, len(predicted), _ROWS_AT_ONCE):
        rows = slice(at, min(at + _ROWS_AT_ONCE, len(predicted)))
        yield rows, predicted[rows].astype(mx.float32)


def log_sums(rows: mx.array) -> mx.array:
    """Return logsumexp of each row, of the shape (P, 1).

    WORKAROUND(mlx 0.32.4): on the CPU, `mx.logsumexp` adds float32 numbers sequentially, with an error of 1e-4 for a
    vocabulary of 49,152. Adding blocks first reduces it to 1e-6.
    """
    blocks, rest = in_blocks(rows)
    parts = mx.concatenate([mx.logsumexp(blocks, axis=-1), rest], axis=-1)
    return mx.logsumexp(parts, axis=-1, keepdims=True)


def in_blocks(rows: mx.array) -> tuple[mx.array, mx.array]:
    """Return rows of the shape (P, V) as blocks (P, V // `BLOCK`, `BLOCK`) and the remainder (P, V % `BLOCK`)."""
    end = rows.shape[1] // BLOCK * BLOCK
    return rows[:, :end].reshape(len(rows), -1, BLOCK), rows[:, end:]


def true_tokens(tokens: NDArray[np.int32], first: int) -> NDArray[np.int32]:
    """Return the token that follows each of these positions in the text, of the shape (chunk - 1 - first,)."""
    return tokens[first + 1 :]
