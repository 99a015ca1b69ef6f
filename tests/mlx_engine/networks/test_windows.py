from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import QuantizedKVCache, make_prompt_cache

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build

_sizes: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "rms_norm_eps": 1e-5,
    "norm_epsilon": 1e-5,
    "vocab_size": 32,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
    "sliding_window": 4,
    "use_sliding_window": True,
    "max_window_layers": 0,
}


def _logits(network: Any, tokens: list[int], steps: int = 0) -> Any:
    """Return the logits at the last position; the last `steps` tokens are read one by one."""
    cache = make_prompt_cache(network)
    head, tail = tokens[: len(tokens) - steps], tokens[len(tokens) - steps :]
    result = network(mx.array([head]), cache=cache)
    for token in tail:
        result = network(mx.array([[token]]), cache=cache)
    return np.array(result[0, -1])


@pytest.mark.parametrize("architecture", ["mistral", "phi3", "qwen2", "qwen3", "starcoder2", "gemma2"])
@pytest.mark.parametrize("steps", [0, 3])
def test_a_token_outside_the_window_changes_nothing(architecture: str, steps: int) -> None:
    mx.random.seed(3)
    network = build(normalize(_sizes | {"model_type": architecture}))
    same = _logits(network, [1, 5, 6, 7, 8], steps)
    np.testing.assert_allclose(_logits(network, [9, 5, 6, 7, 8], steps), same, atol=1e-5)
    assert np.abs(_logits(network, [1, 9, 6, 7, 8], steps) - same).max() > 1e-4


def test_layers_with_and_without_a_window_alternate_in_any_order() -> None:
    types = ["full_attention", "sliding_attention", "sliding_attention", "full_attention"]
    config = _sizes | {"model_type": "cohere2", "num_hidden_layers": 4, "layer_types": types, "layer_norm_eps": 1e-5}
    network = build(normalize(config | {"logit_scale": 1.0}))
    assert [getattr(layer.self_attn, "_window", 0) for layer in network.layers] == [0, 4, 4, 0]
    assert [layer.self_attn.use_sliding_window for layer in network.layers] == [False, True, True, False]


@pytest.mark.parametrize("bits", [4, 8])
def test_a_window_applies_to_quantized_keys_and_values(bits: int) -> None:
    mx.random.seed(3)
    sizes = _sizes | {"hidden_size": 128, "head_dim": 64}
    network = build(normalize(sizes | {"model_type": "qwen3"}))
    logits = []
    for first in (1, 9):
        cache = [QuantizedKVCache(32, bits)]
        network(mx.array([[first, 5, 6]]), cache=cache)
        network(mx.array([[7, 8]]), cache=cache)
        logits.append(np.array(network(mx.array([[4]]), cache=cache)))
    np.testing.assert_array_equal(*logits)


def test_a_window_of_the_whole_context_needs_no_correction() -> None:
    network = build(normalize(_sizes | {"model_type": "phi3", "sliding_window": 64}))
    assert not any(hasattr(layer.self_attn, "_window") for layer in network.layers)
