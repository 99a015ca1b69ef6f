"""MiniCPM whose head is tied to the embeddings: with scaled logits, and also after quantization.

WORKAROUND(mlx-lm 0.32.2): its network scales the hidden states only before a head of its own, and multiplies by the
array of the embeddings, which is packed after quantization. Source: OpenBMB, `MiniCPMForCausalLM`, which scales always.
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import minicpm


class Model(minicpm.Model):
    """mlx-lm's network with the head of the reference."""

    def __call__(self, inputs: mx.array, cache: Any = None) -> mx.array:
        if not self.args.tie_word_embeddings:
            return super().__call__(inputs, cache)  # type: ignore[no-any-return]
        hidden = self.model(inputs, cache) / (self.args.hidden_size / self.args.dim_model_base)
        logits: mx.array = self.model.embed_tokens.as_linear(hidden)
        return logits

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        return weights if self.args.tie_word_embeddings else super().sanitize(weights)  # type: ignore[no-untyped-call]
