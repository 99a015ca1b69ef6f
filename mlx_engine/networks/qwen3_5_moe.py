"""Qwen3.5 mixtures with one tensor for each expert.

WORKAROUND(mlx-lm 0.32.2): its `sanitize` knows only all experts of a layer in one tensor.
"""

import re
from typing import Any

import mlx.core as mx
from mlx_lm.models import qwen3_5_moe

_qwen3_5_moe: Any = qwen3_5_moe
_expert = re.compile(r"(.+\.mlp)\.experts\.(\d+)\.(\w+)\.weight")


class Model(_qwen3_5_moe.Model):  # type: ignore[misc]
    """mlx-lm's network, which also reads experts one by one."""

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights in the layout of the network."""
        others: dict[str, mx.array] = {}
        experts: dict[str, dict[int, mx.array]] = {}
        for name, weight in weights.items():
            if match := _expert.fullmatch(name):
                experts.setdefault(f"{match[1]}.switch_mlp.{match[3]}.weight", {})[int(match[2])] = weight
            else:
                others[name] = weight
        stacked = {name: mx.stack([parts[index] for index in sorted(parts)]) for name, parts in experts.items()}
        result: dict[str, mx.array] = super().sanitize(others | stacked)
        return result
