"""ERNIE 4.5 with experts chosen by their corrected scores.

WORKAROUND(mlx-lm 0.32.2): its network drops `e_score_correction_bias`, so it chooses other experts.
Source: transformers 5.23, `Ernie4_5_MoeTopKRouter`.
"""

import mlx.core as mx
from mlx_lm.models import ernie4_5_moe

_stored = ".moe_statics.e_score_correction_bias"
_parameter = ".e_score_correction_bias"


class _Mixture(ernie4_5_moe.Ernie4_5_MoeMLP):
    """mlx-lm's mixture, with a bias [experts] that takes part in choosing experts but not in weighting them."""

    def __call__(self, inputs: mx.array) -> mx.array:
        scores = self.gate_act(self.gate(inputs).astype(mx.float32))
        chosen = mx.argpartition(-(scores + self.e_score_correction_bias), kth=self.k - 1, axis=-1)[..., : self.k]
        weights = mx.take_along_axis(scores, chosen, axis=-1)
        weights = weights / mx.maximum(weights.sum(axis=-1, keepdims=True), 1e-12)
        result = self.switch_mlp(inputs, chosen)
        result = (result * weights[..., None]).sum(axis=-2).astype(result.dtype)
        return result if self.shared_experts is None else result + self.shared_experts(inputs)


class Model(ernie4_5_moe.Model):
    """mlx-lm's network with corrected mixtures, if the files have the corrections."""

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        biases = {
            name.replace(_stored, _parameter): weight.reshape(-1)
            for name, weight in weights.items()
            if name.endswith(_parameter) and ".mtp_" not in name
        }
        for index, layer in enumerate(self.layers):
            if (bias := biases.get(f"model.layers.{index}.mlp{_parameter}")) is not None:
                layer.mlp.__class__ = _Mixture
                layer.mlp.e_score_correction_bias = mx.zeros(bias.shape)
        result: dict[str, mx.array] = super().sanitize(weights)  # type: ignore[no-untyped-call]
        return result | biases
