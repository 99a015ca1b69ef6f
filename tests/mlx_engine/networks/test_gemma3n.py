from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build, sanitize

_config: dict[str, Any] = normalize(
    {
        "model_type": "gemma3n_text",
        "hidden_size": 32,
        "intermediate_size": [32] * 4,
        "num_hidden_layers": 4,
        "num_kv_shared_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "activation_sparsity_pattern": [0.0] * 4,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "vocab_size": 32,
        "vocab_size_per_layer_input": 32,
        "hidden_size_per_layer_input": 8,
        "laurel_rank": 8,
        "sliding_window": 4,
    }
)


def test_shared_keys_and_values_are_used_without_a_cache_too() -> None:
    network, tokens = build(_config), mx.arange(9)[None]
    with_cache = network(tokens, cache=make_prompt_cache(network))
    np.testing.assert_allclose(np.array(network(tokens)), np.array(with_cache), atol=1e-5)


def test_the_last_layers_need_no_keys_and_values_of_their_own() -> None:
    network = build(_config)
    flat: Any = tree_flatten(network.parameters())
    weights = {name.replace("model.language_model.", "model."): weight for name, weight in flat}
    unused = [f"model.layers.{layer}.self_attn.{name}.weight" for layer in (2, 3) for name in ("k_proj", "v_proj")]
    unused += [f"model.layers.{layer}.self_attn.k_norm.weight" for layer in (2, 3)]
    expected = network(mx.arange(9)[None])
    other = build(_config)
    used_weights = {name: weight for name, weight in weights.items() if name not in unused}
    other.load_weights(list(sanitize(other, _config, used_weights).items()), strict=True)
    assert len(used_weights) == len(weights) - 6
    np.testing.assert_array_equal(np.array(other(mx.arange(9)[None])), np.array(expected))
