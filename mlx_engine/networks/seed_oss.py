"""Seed-OSS whose head is tied to quantized embeddings.

WORKAROUND(mlx-lm 0.32.2): its network multiplies by the array of the embeddings, which is packed after quantization.
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import seed_oss


class Model(seed_oss.Model):
    """mlx-lm's network with a head for any embeddings."""

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        if not self.tie_word_embeddings:
            return super().__call__(inputs, cache)  # type: ignore[no-any-return]
        logits: mx.array = self.model.embed_tokens.as_linear(self.model(inputs, cache=cache))
        return logits
