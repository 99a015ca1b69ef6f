"""Microsoft's BitNet with ordinary linear layers, which run on every MLX device and can be quantized.

mlx-lm's network has layers for packed ternary weights, whose only kernel is for Metal. Ternary weights are exact in
MLX's 2-bit affine quantization, so the same network with plain layers computes the same.
"""

from typing import Any

from mlx import nn
from mlx.utils import tree_map
from mlx_lm.models import bitnet
from mlx_lm.models.bitlinear_layers import BitLinear

_nn: Any = nn


class Model(bitnet.Model):
    """mlx-lm's network with `nn.Linear` in place of each `BitLinear`."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.update_modules(tree_map(_plain, self.leaf_modules(), is_leaf=_nn.Module.is_module))


def _plain(layer: Any) -> Any:
    if not isinstance(layer, BitLinear):
        return layer
    return _nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
