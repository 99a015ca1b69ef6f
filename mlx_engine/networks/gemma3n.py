"""Gemma 3n whose last layers use the keys and values of earlier ones.

WORKAROUND(mlx-lm 0.32.2): without a cache, its network computes separate keys and values for these layers, and it
requires the tensors for that, which transformers 5 leaves out.
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import gemma3n

_gemma3n: Any = gemma3n
_unused = ("k_proj", "v_proj", "k_norm")


class Model(_gemma3n.Model):  # type: ignore[misc]
    """mlx-lm's network, which always has a cache."""

    def __call__(self, inputs: mx.array, cache: Any = None, input_embeddings: mx.array | None = None) -> mx.array:
        cache = self.make_cache() if cache is None else cache
        result: mx.array = super().__call__(inputs, cache, input_embeddings)
        return result

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights in the layout of the network, and remove the unused layers that have none."""
        result: dict[str, mx.array] = super().sanitize(weights)
        for index, layer in enumerate(self.layers):
            attention, path = layer.self_attn, f"model.language_model.layers.{index}.self_attn"
            for name in _unused:
                if attention.is_kv_shared_layer and f"{path}.{name}.weight" not in result:
                    attention.pop(name)
        return result
