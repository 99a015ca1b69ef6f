"""Jamba with its experts weighted by their share of all experts.

WORKAROUND(mlx-lm 0.32.2): its network weights them by their share of the chosen ones. Source: transformers 5.23,
`JambaTopKRouter`.
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import jamba


class _Mixture(jamba.JambaSparseMoeBlock):
    def __call__(self, inputs: mx.array) -> mx.array:
        scores = mx.softmax(self.router(inputs), axis=-1, precise=True)
        count = self.num_experts_per_tok
        chosen = mx.argpartition(-scores, kth=count - 1, axis=-1)[..., :count]
        weights = mx.take_along_axis(scores, chosen, axis=-1)
        result: mx.array = (self.switch_mlp(inputs, chosen) * weights[..., None]).sum(axis=-2)
        return result


class Model(jamba.Model):
    """mlx-lm's network with corrected mixtures."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        for layer in self.layers:
            if isinstance(layer.feed_forward, jamba.JambaSparseMoeBlock):
                layer.feed_forward.__class__ = _Mixture
