"""Falcon-H1 with the multipliers of its keys and values.

WORKAROUND(mlx-lm 0.32.2): its network ignores `key_multiplier`, leaves values and biases out of the multipliers that it
folds into the weights, and ignores `time_step_limit`. Source: transformers 5.23, `FalconH1Attention` and
`FalconH1Mixer`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
from mlx_lm.models import falcon_h1

_falcon_h1: Any = falcon_h1


@dataclass
class ModelArgs(_falcon_h1.ModelArgs):  # type: ignore[misc]
    """mlx-lm's settings with those that it ignores."""

    time_step_limit: tuple[float, float] = (0.0, math.inf)


class Model(_falcon_h1.Model):  # type: ignore[misc]
    """mlx-lm's network with corrected layers."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        for layer in self.layers:
            # Scaling the scores instead of the keys also corrects folders that stock mlx-lm converted.
            layer.self_attn.scale *= args.key_multiplier
            layer.mamba.time_step_limit = tuple(args.time_step_limit)

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights with the multipliers folded in, unless the files have them so."""
        result: dict[str, mx.array] = super().sanitize(weights)
        if result is weights:
            return weights
        factors = tuple(self._further_factors())
        return {
            name: next((weight * factor for ending, factor in factors if name.endswith(ending)), weight)
            for name, weight in result.items()
        }

    def _further_factors(self) -> Iterator[tuple[str, Any]]:
        """Yield endings of the names of weights, with the factors that mlx-lm leaves out."""
        args = self.args
        yield "v_proj.weight", args.attention_in_multiplier
        yield "o_proj.bias", args.attention_out_multiplier
        yield "out_proj.bias", args.ssm_out_multiplier
        yield "gate_proj.bias", args.mlp_multipliers[0]
        yield "down_proj.bias", args.mlp_multipliers[1]
        yield "in_proj.bias", self.model._mup_vector
