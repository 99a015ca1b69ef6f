"""Qwen2 mixtures with layers without experts, and with experts weighted by their share of the chosen ones.

WORKAROUND(mlx-lm 0.32.2): its network ignores `mlp_only_layers`, `decoder_sparse_step` and `norm_topk_prob`. Source:
transformers 5.23, `Qwen2MoeDecoderLayer` and `Qwen2MoeTopKRouter`.
"""

from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
from mlx_lm.models import qwen2_moe


@dataclass
class ModelArgs(qwen2_moe.ModelArgs):
    """mlx-lm's settings with those that it ignores."""

    mlp_only_layers: list[int] = field(default_factory=list)
    decoder_sparse_step: int = 1
    norm_topk_prob: bool = False


class _NormalizedMixture(qwen2_moe.Qwen2MoeSparseMoeBlock):
    def __call__(self, inputs: mx.array) -> mx.array:
        scores = mx.softmax(self.gate(inputs), axis=-1, precise=True)
        chosen = mx.argpartition(-scores, kth=self.top_k - 1, axis=-1)[..., : self.top_k]
        weights = mx.take_along_axis(scores, chosen, axis=-1)
        weights = weights / weights.sum(axis=-1, keepdims=True)
        result = (self.switch_mlp(inputs, chosen) * weights[..., None]).sum(axis=-2)
        shared: mx.array = mx.sigmoid(self.shared_expert_gate(inputs)) * self.shared_expert(inputs)
        return result + shared


class Model(qwen2_moe.Model):
    """mlx-lm's network with corrected layers."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        for index, layer in enumerate(self.layers):
            is_mixture = index not in (args.mlp_only_layers or ()) and (index + 1) % args.decoder_sparse_step == 0
            if not is_mixture:
                layer.mlp = qwen2_moe.MLP(args.hidden_size, args.intermediate_size)  # type: ignore[no-untyped-call]
            elif args.norm_topk_prob:
                layer.mlp.__class__ = _NormalizedMixture
