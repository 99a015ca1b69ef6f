import mlx.core as mx
import numpy as np

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build, sanitize

_config = {
    "model_type": "gpt_oss",
    "hidden_size": 3,
    "intermediate_size": 2,
    "num_hidden_layers": 2,
    "num_attention_heads": 1,
    "num_key_value_heads": 1,
    "head_dim": 4,
    "num_local_experts": 2,
    "vocab_size": 8,
}


def test_experts_in_16_bits_are_turned_and_their_alternating_halves_separated() -> None:
    """transformers multiplies from the left, and alternates the columns of the two matrices."""
    config = normalize(_config)
    network, owner = build(config), "model.layers.0.mlp.experts"
    both, down = np.arange(24.0).reshape(2, 3, 4), np.arange(12.0).reshape(2, 2, 3)
    weights = sanitize(network, config, {f"{owner}.gate_up_proj": mx.array(both), f"{owner}.down_proj": mx.array(down)})
    np.testing.assert_array_equal(np.array(weights[f"{owner}.gate_proj.weight"]), both[..., ::2].swapaxes(1, 2))
    np.testing.assert_array_equal(np.array(weights[f"{owner}.up_proj.weight"]), both[..., 1::2].swapaxes(1, 2))
    np.testing.assert_array_equal(np.array(weights[f"{owner}.down_proj.weight"]), down.swapaxes(1, 2))
    assert sanitize(network, config, dict(weights)).keys() == weights.keys()
