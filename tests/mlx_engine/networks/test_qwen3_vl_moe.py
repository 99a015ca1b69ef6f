import mlx.core as mx
import numpy as np
import pytest

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build, sanitize


@pytest.mark.parametrize("is_swapped", [False, True])
def test_experts_are_read_in_either_order(is_swapped: bool) -> None:
    text = {
        "model_type": "qwen3_vl_moe_text",
        "hidden_size": 6,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "head_dim": 4,
        "num_experts": 2,
        "num_experts_per_tok": 1,
        "moe_intermediate_size": 2,
        "vocab_size": 8,
    }
    config = normalize({"model_type": "qwen3_vl_moe", "text_config": text})
    down = np.arange(24.0).reshape(2, 2, 6)
    owner = "model.language_model.layers.0.mlp.experts"
    weights = {f"{owner}.gate_up_proj": np.zeros((2, 6, 4)), f"{owner}.down_proj": down, "lm_head.weight": np.zeros(1)}
    arrays = {
        name: mx.array(value.swapaxes(1, 2) if is_swapped and value.ndim == 3 else value)
        for name, value in weights.items()
    }
    result = sanitize(build(config), config, arrays)
    down_proj = result["language_model.model.layers.0.mlp.switch_mlp.down_proj.weight"]
    np.testing.assert_array_equal(np.array(down_proj), down.swapaxes(1, 2))
