"""GLM-4 Lite mixtures that normalize compressed queries and keys with the epsilon of the reference.

WORKAROUND(mlx-lm 0.32.2): its network uses `rms_norm_eps` there too. Source: transformers 5.23,
`Glm4MoeLiteAttention`.
"""

from typing import Any

from mlx_lm.models import glm4_moe_lite

_glm4_moe_lite: Any = glm4_moe_lite
_epsilon = 1e-6


class Model(_glm4_moe_lite.Model):  # type: ignore[misc]
    """mlx-lm's network with corrected norms."""

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        for layer in self.layers:
            for name in ("q_a_layernorm", "kv_a_layernorm"):
                if name in layer.self_attn:
                    layer.self_attn[name].eps = _epsilon
