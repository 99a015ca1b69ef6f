"""Qwen3-VL mixtures with the experts' matrices in either order.

WORKAROUND(mlx-lm 0.32.2): its `sanitize` knows only [experts, input, output], as in the repositories of this family;
transformers 5 accepts both orders, and saves [experts, output, input].
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import qwen3_vl_moe

_qwen3_vl_moe: Any = qwen3_vl_moe
_experts = (".experts.gate_up_proj", ".experts.down_proj")


class Model(_qwen3_vl_moe.Model):  # type: ignore[misc]
    """mlx-lm's network, which reads both orders."""

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights in the layout of the network."""
        args = self.language_model.args
        repositories = (args.moe_intermediate_size, args.hidden_size)
        downs = [weight.shape[1:] for name, weight in weights.items() if name.endswith(".experts.down_proj")]
        if any(shape != repositories for shape in downs):
            weights = {
                name: weight.swapaxes(1, 2) if name.endswith(_experts) else weight for name, weight in weights.items()
            }
        result: dict[str, mx.array] = super().sanitize(weights)
        return result
