"""AFM 7 with fused projections that can be quantized, and unpacked again.

WORKAROUND(mlx-lm 0.32.2): its `FusedLinear.to_quantized` lacks the argument `mode`, so that no quantized folder opens,
and `dequantize_model` makes plain layers of them, whose output is not split.
"""

from typing import Any

from mlx import nn
from mlx_lm.models import afm7
from mlx_lm.utils import dequantize_model

_afm7: Any = afm7
_nn: Any = nn


class _Fused(_afm7.FusedLinear):  # type: ignore[misc]
    """A projection whose output is split into parts."""

    def to_quantized(self, **settings: Any) -> Any:
        """Return the quantized projection, in any format of MLX."""
        quantized = _nn.QuantizedLinear.from_linear(self, **settings)
        quantized.__class__ = _afm7.FusedQuantizedLinear
        quantized.indices = self.indices
        return quantized


class Model(_afm7.Model):  # type: ignore[misc]
    """mlx-lm's network with such projections."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        for module in self.modules():
            if type(module) is _afm7.FusedLinear:
                module.__class__ = _Fused

    def dequantize(self) -> None:
        """Unpack all quantized layers."""
        fused = {
            name: module.indices
            for name, module in self.named_modules()
            if isinstance(module, _afm7.FusedQuantizedLinear)
        }
        dequantize_model(self)
        for name, module in self.named_modules():
            if name in fused:
                module.__class__ = _Fused
                module.indices = fused[name]
