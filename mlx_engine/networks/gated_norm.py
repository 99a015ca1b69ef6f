"""Normalization of each group of a Mamba-2 mixer on its own.

WORKAROUND(mlx-lm 0.32.2): mamba2, granitemoehybrid and falcon_h1 normalize all groups together. Source: transformers
5.23, `MambaRMSNormGated` and `FalconH1RMSNormGated`.
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import falcon_h1, granitemoehybrid, mamba2
from mlx_lm.models.activations import swiglu

_falcon_h1: Any = falcon_h1
_granitemoehybrid: Any = granitemoehybrid
_mamba2: Any = mamba2
_mixers = (_falcon_h1.FalconH1Mixer, _granitemoehybrid.GraniteMoeHybridMamba2Mixer, _mamba2.Mamba2Block)


def correct_gated_norms(network: Any) -> None:
    """Let mixers with several groups normalize each of them."""
    for module in network.modules():
        if isinstance(module, _mixers) and module.n_groups > 1 and "norm" in module:
            norm: Any = module.norm
            norm.__class__ = _AfterwardsGated if getattr(norm, "norm_before_gate", False) else _Gated
            norm.group_size = norm.weight.size // module.n_groups
            norm.eps = getattr(norm, "variance_epsilon", None) or norm.eps


class _Gated(_mamba2.MambaRMSNormGated):  # type: ignore[misc]
    def __call__(self, inputs: mx.array, gate: mx.array | None = None) -> mx.array:
        return self._normalized(inputs if gate is None else swiglu(gate, inputs))

    def _normalized(self, inputs: mx.array) -> mx.array:
        groups = mx.unflatten(inputs, axis=-1, shape=(-1, self.group_size))
        result: mx.array = self.weight * mx.fast.rms_norm(groups, weight=None, eps=self.eps).flatten(-2)
        return result


class _AfterwardsGated(_Gated):
    def __call__(self, inputs: mx.array, gate: mx.array | None = None) -> mx.array:
        normalized = self._normalized(inputs)
        return normalized if gate is None else swiglu(gate, normalized)
