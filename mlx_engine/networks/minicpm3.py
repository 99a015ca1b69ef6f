"""MiniCPM3 with the logits of a tied head scaled like others.

WORKAROUND(mlx-lm 0.32.2): its network scales them only if the head is not tied to the embeddings. Source: transformers
5.23, `MiniCPM3ForCausalLM`.
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import minicpm3


class Model(minicpm3.Model):
    """mlx-lm's network with scaled logits."""

    def __call__(self, inputs: mx.array, mask: Any = None, cache: Any = None) -> mx.array:
        logits: mx.array = super().__call__(inputs, mask, cache)
        return logits * (self.args.dim_model_base / self.args.hidden_size) if self.args.tie_word_embeddings else logits
