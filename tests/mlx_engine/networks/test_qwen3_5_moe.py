import mlx.core as mx
import numpy as np

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build, sanitize


def test_experts_one_by_one_are_stacked_in_their_order() -> None:
    config = normalize(
        {
            "model_type": "qwen3_5_moe_text",
            "hidden_size": 4,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "num_key_value_heads": 1,
            "head_dim": 4,
            "num_experts": 11,
            "num_experts_per_tok": 1,
            "moe_intermediate_size": 2,
            "shared_expert_intermediate_size": 2,
            "vocab_size": 8,
            "layer_types": ["full_attention"],
        }
    )
    weights = {f"model.layers.0.mlp.experts.{index}.up_proj.weight": mx.full((2, 4), index) for index in range(11)}
    stacked = sanitize(build(config), config, weights)["language_model.model.layers.0.mlp.switch_mlp.up_proj.weight"]
    np.testing.assert_array_equal(np.array(stacked)[:, 0, 0], range(11))
