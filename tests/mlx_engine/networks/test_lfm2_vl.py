from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build, sanitize


def test_convolutions_are_read_as_transformers_saves_them() -> None:
    text = {
        "model_type": "lfm2",
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 1,
        "num_key_value_heads": 1,
        "layer_types": ["conv", "full_attention"],
        "vocab_size": 8,
    }
    config = normalize({"model_type": "lfm2_vl", "text_config": text})
    network = build(config)
    flat: Any = tree_flatten(network.parameters())
    shapes = {name: weight.shape for name, weight in flat}
    name = "language_model.model.layers.0.conv.conv.weight"
    weights = {"model.language_model.layers.0.conv.conv.weight": mx.zeros((8, 1, 3))}
    assert sanitize(network, config, weights)[name].shape == shapes[name] == (8, 3, 1)
