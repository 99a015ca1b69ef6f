"""gpt-oss with experts in 16 bits, as transformers saves them after decoding MXFP4.

WORKAROUND(mlx-lm 0.32.2): its `sanitize` knows experts only in MXFP4, where the matrices are the other way round:
transformers has [experts, input, output], mlx-lm [experts, output, input].
"""

from typing import Any

import mlx.core as mx
from mlx_lm.models import gpt_oss

_gpt_oss: Any = gpt_oss
_experts = (".experts.gate_up_proj", ".experts.down_proj")


class Model(_gpt_oss.Model):  # type: ignore[misc]
    """mlx-lm's network, which also reads transformers' layout."""

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights in the layout of the network."""
        result: dict[str, mx.array] = super().sanitize(dict(map(_arranged, weights, weights.values())))
        return result


def _arranged(name: str, weight: mx.array) -> tuple[str, mx.array]:
    return (f"{name}.weight", weight.swapaxes(-1, -2)) if name.endswith(_experts) else (name, weight)
