"""Runs a network over a chunk of tokens and gives its predictions, position by position. All MLX, in one thread."""

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import EngineError


def log_probabilities(network: Any, tokens: NDArray[np.int32], first: int, *, cache: Any = None) -> mx.array:
    """Return what `network` predicts for the token after each position from `first` to the last but one.

    `tokens` has the shape (chunk,); the result is float32 of the shape (chunk - 1 - first, vocabulary), natural
    logarithms, evaluated.

    Raises:
        EngineError: a prediction is no number.
    """
    logits = network(mx.array(tokens)[None], cache=cache)[0, first:-1].astype(mx.float32)
    result: mx.array = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    # A row with one NaN or a positive infinity has no finite sum; a token that is ruled out by minus infinity may be.
    is_sound = mx.all(mx.isfinite(mx.logsumexp(result, axis=-1)))
    mx.eval(result, is_sound)
    if not is_sound.item():
        raise EngineError("The model answers with numbers that are none (NaN). Its weights are damaged or overflow.")
    return result


def true_tokens(tokens: NDArray[np.int32], first: int) -> NDArray[np.int32]:
    """Return the token that really follows each of those positions, of the shape (chunk - 1 - first,)."""
    return tokens[first + 1 :]
