from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.errors import UnsupportedModel
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build
from mlx_engine.networks.rotation import Rotation, expected_length, length_boundary

_llama: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "rms_norm_eps": 1e-5,
    "vocab_size": 32,
    "max_position_embeddings": 64,
    "head_dim": 16,
}


def _angles(config: dict[str, Any], tokens: int) -> np.ndarray[Any, Any]:
    """Return the angles by which the first layer rotates the last of `tokens` positions."""
    rope = build(normalize(_llama | config)).model.layers[0].self_attn.rope
    ones = mx.broadcast_to(mx.array([1.0] * 8 + [0.0] * 8), (1, 1, tokens, 16))
    rotated = np.array(rope(ones))[0, 0, -1]
    return np.arctan2(rotated[8:], rotated[:8])


def _expected(lengths: Any, position: int) -> Any:
    turned = position / np.asarray(lengths, np.float64)
    return np.arctan2(np.sin(turned), np.cos(turned))


def _lengths(base: float) -> Any:
    return base ** (np.arange(0, 16, 2) / 16)


@pytest.mark.parametrize("older", [True, False])
def test_the_base_applies_in_both_forms(older: bool) -> None:
    settings = {"rope_theta": 777.0}
    angles = _angles(settings if older else {"rope_parameters": settings}, 9)
    np.testing.assert_allclose(angles, _expected(_lengths(777.0), 8), atol=1e-4)


def test_llama3_scaling_may_have_no_range_between_its_frequencies() -> None:
    settings = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 1.0, "original_max_position_embeddings": 16}
    angles = _angles({"rope_theta": 100.0, "rope_scaling": {"rope_type": "llama3", **settings}}, 9)
    lengths = _lengths(100.0)
    expected = np.where(2 * np.pi * lengths > 16, 8 * lengths, lengths)
    np.testing.assert_allclose(angles, _expected(expected, 8), atol=1e-4)


def test_hunyuan_raises_its_base_once() -> None:
    hunyuan = {"model_type": "hunyuan_v1_dense", "rope_theta": 100.0, "use_qk_norm": False, "attention_bias": False}
    angles = _angles(hunyuan | {"rope_scaling": {"type": "dynamic", "alpha": 50.0, "factor": 1.0}}, 9)
    np.testing.assert_allclose(angles, _expected(_lengths(100.0 * 50 ** (16 / 14)), 8), atol=1e-4)


def test_layers_may_be_called_h() -> None:
    gpt_neox = {"model_type": "gpt_neox", "layer_norm_eps": 1e-5, "rotary_pct": 1.0, "rotary_emb_base": 100.0}
    scaled = {"rope_scaling": {"type": "linear", "factor": 4.0}}
    attention = build(normalize(_llama | gpt_neox | scaled | {"intermediate_size": 128})).model.h[0].attention
    assert isinstance(attention.rope, Rotation)


def test_longrope_changes_its_factors_beyond_the_length_of_pretraining() -> None:
    short, long = [1.0] * 8, [4.0] * 8
    scaling = {"rope_type": "longrope", "short_factor": short, "long_factor": long}
    config = {"rope_scaling": scaling, "original_max_position_embeddings": 16, "rope_theta": 100.0}
    np.testing.assert_allclose(_angles(config, 16), _expected(_lengths(100.0), 15), atol=1e-4)
    np.testing.assert_allclose(_angles(config, 17), _expected(4 * _lengths(100.0), 16), atol=1e-4)


def test_longrope_reads_a_long_context_with_its_long_factors_from_the_first_part_on() -> None:
    scaling = {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    config = {"rope_scaling": scaling, "original_max_position_embeddings": 16, "rope_theta": 100.0}
    network = build(normalize(_llama | config | {"model_type": "phi3"}))
    tokens = mx.arange(20)[None]
    whole = network(tokens)
    cache = make_prompt_cache(network)
    with expected_length(network, 20):
        parts = [network(tokens[:, :9], cache=cache), network(tokens[:, 9:], cache=cache)]
    np.testing.assert_allclose(np.array(mx.concatenate(parts, axis=1)), np.array(whole), atol=1e-4)
    assert length_boundary(network) == 16


@pytest.mark.parametrize(("tokens", "factor"), [(16, 1.5), (17, 2.5)])
def test_longrope_scales_by_the_factors_of_phi_moe(tokens: int, factor: float) -> None:
    scaling = {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    scaling |= {"short_mscale": 1.5, "long_mscale": 2.5}
    config = {"rope_scaling": scaling, "original_max_position_embeddings": 16, "model_type": "phimoe"}
    config |= {"attention_bias": True, "lm_head_bias": True}
    rope = build(normalize(_llama | config)).layers[0].self_attn.rope
    rotated = np.array(rope(mx.ones((1, 1, tokens, 16))))[0, 0, -1]
    np.testing.assert_allclose(np.linalg.norm(rotated), 4 * factor, rtol=1e-5)


def test_a_proportional_rotation_covers_the_size_of_its_own_layers_heads() -> None:
    """Gemma 4's layers without a window have larger heads, of which a part turns."""
    rotations = {
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 777.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 55.0},
    }
    config = {"model_type": "gemma4_text", "global_head_dim": 32, "num_key_value_heads": 1, "num_hidden_layers": 2}
    config |= {"layer_types": ["sliding_attention", "full_attention"], "rope_parameters": rotations}
    config |= {"hidden_size_per_layer_input": 0}
    assert [layer.self_attn.rope.dims for layer in build(normalize(_llama | config)).layers] == [16, 32]


@pytest.mark.parametrize("scaling", ["longrope", "dynamic"])
def test_an_offset_may_be_an_array(scaling: str) -> None:
    settings = {"rope_type": scaling, "factor": 4.0, "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    config = {"rope_scaling": settings, "original_max_position_embeddings": 16, "max_position_embeddings": 16}
    rope, values = build(normalize(_llama | config)).layers[0].self_attn.rope, mx.ones((1, 1, 3, 16))
    np.testing.assert_allclose(np.array(rope(values, mx.array(15))), np.array(rope(values, 15)), atol=1e-6)


def test_an_unknown_scaling_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedModel, match="'spiral'"):
        build(normalize(_llama | {"rope_scaling": {"rope_type": "spiral"}, "rope_theta": 10.0}))


def test_layers_with_a_window_rotate_by_their_own_base_without_layer_types() -> None:
    config = {"model_type": "gemma3_text", "sliding_window_pattern": 2, "num_hidden_layers": 2, "sliding_window": 8}
    config |= {"rope_theta": 777.0, "rope_local_base_freq": 55.0, "num_key_value_heads": 1}
    layers = build(normalize(_llama | config)).layers
    assert [layer.self_attn.rope.base for layer in layers] == [55.0, 777.0]


def test_a_family_that_transformers_lacks_keeps_the_rotation_of_mlx_lm() -> None:
    """PLaMo 3 has another base in layers with a window, under a name of its own."""
    config = {"model_type": "plamo3", "rope_theta": 777, "rope_local_theta": 55, "num_hidden_layers": 2}
    config |= {"sliding_window_pattern": 2, "sliding_window": 8, "num_key_value_heads": 1, "vocab_size": 32}
    layers = build(normalize(_llama | config)).layers
    assert [layer.mixer.rope.base for layer in layers] == [55, 777]
