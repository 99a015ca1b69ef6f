"""The corrected networks, with numbers from a run of transformers 5.23 being the task of `tests.conformance`."""

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_map
from mlx_lm.utils import dequantize_model

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build, sanitize
from tests import tiny_architectures

_tiny: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "vocab_size": 16,
    "max_position_embeddings": 64,
    "num_experts_per_tok": 2,
    "rms_norm_eps": 1e-5,
}
_ernie = _tiny | {
    "model_type": "ernie4_5_moe",
    "moe_num_experts": 4,
    "moe_k": 1,
    "moe_layer_start_index": 0,
    "moe_layer_end_index": 1,
    "moe_num_shared_experts": 0,
}
_qwen = _tiny | {"model_type": "qwen2_moe", "num_experts": 4}
_jamba = _tiny | {
    "model_type": "jamba",
    "num_experts": 4,
    "attn_layer_period": 2,
    "attn_layer_offset": 1,
    "expert_layer_period": 1,
    "expert_layer_offset": 0,
}


def _network(config: dict[str, Any]) -> Any:
    mx.random.seed(1)
    network = build(normalize(config))
    network.update(tree_map(lambda weight: mx.random.normal(weight.shape), network.parameters()))
    return network


def test_ernie_chooses_experts_by_their_corrected_scores() -> None:
    network = _network(_ernie)
    bias = mx.array([[0.0, 0.0, 9.0, 0.0]])
    weights = {f"model.layers.{layer}.mlp.moe_statics.e_score_correction_bias": bias for layer in range(2)}
    network.load_weights(list(sanitize(network, normalize(_ernie), weights).items()), strict=False)
    mixture, inputs = network.layers[0].mlp, mx.random.normal((1, 3, 16))
    expected = mixture.switch_mlp(inputs, mx.full((1, 3, 1), 2))[..., 0, :]
    np.testing.assert_allclose(np.array(mixture(inputs)), np.array(expected), rtol=1e-4)


def test_jamba_weights_experts_by_their_share_of_all() -> None:
    mixture, inputs = _network(_jamba).layers[0].feed_forward, mx.random.normal((1, 1, 16))
    scores = mx.softmax(mixture.router(inputs), axis=-1)[0, 0]
    chosen = mx.argsort(-scores)[:2]
    outputs = mixture.switch_mlp(inputs, chosen[None, None])[0, 0]
    expected = (outputs * scores[chosen][:, None]).sum(axis=0)
    np.testing.assert_allclose(np.array(mixture(inputs))[0, 0], np.array(expected), rtol=1e-3)


@pytest.mark.parametrize(("settings", "has_experts"), [({"mlp_only_layers": [1]}, False), ({}, True)])
def test_qwen2_mixtures_have_layers_without_experts(settings: dict[str, Any], has_experts: bool) -> None:
    assert hasattr(_network(_qwen | settings).layers[1].mlp, "switch_mlp") is has_experts


def test_qwen2_mixtures_can_weight_experts_by_their_share_of_the_chosen() -> None:
    plain, normalized = (_network(_qwen | {"norm_topk_prob": flag}).layers[0].mlp for flag in (False, True))
    inputs = mx.random.normal((1, 1, 16))
    shared = mx.sigmoid(plain.shared_expert_gate(inputs)) * plain.shared_expert(inputs)
    share = mx.sort(mx.softmax(plain.gate(inputs), axis=-1))[..., -2:].sum()
    expected = (plain(inputs) - shared) / share + shared
    np.testing.assert_allclose(np.array(normalized(inputs)), np.array(expected), rtol=1e-3)


_falcon = _tiny | {
    "model_type": "falcon_h1",
    "head_dim": 8,
    "mamba_d_ssm": 32,
    "mamba_n_heads": 4,
    "mamba_d_head": 8,
    "mamba_d_state": 8,
    "mamba_n_groups": 1,
    "attention_in_multiplier": 3.0,
    "key_multiplier": 0.5,
    "time_step_limit": [0.01, 0.5],
}


def test_falcon_scales_scores_and_limits_time_steps() -> None:
    layer = _network(_falcon).layers[0]
    assert layer.self_attn.scale == pytest.approx(0.5 * 8**-0.5)
    assert layer.mamba.time_step_limit == (0.01, 0.5)


@pytest.mark.parametrize(("shape", "factor"), [((48, 1, 4), 3.0), ((48, 4, 1), 1.0)])
def test_falcon_folds_multipliers_into_values_once(shape: tuple[int, ...], factor: float) -> None:
    name = "model.layers.0.self_attn.v_proj.weight"
    weights = {"model.layers.0.mamba.conv1d.weight": mx.zeros(shape), name: mx.ones((16, 16))}
    assert sanitize(_network(_falcon), normalize(_falcon), weights)[name][0, 0].item() == factor


def test_glm_normalizes_compressed_keys_with_the_epsilon_of_its_reference() -> None:
    sizes = {"q_lora_rank": 8, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8}
    network = _network(_tiny | sizes | {"model_type": "glm4_moe_lite", "n_routed_experts": 4, "rms_norm_eps": 0.1})
    assert network.layers[0].self_attn.kv_a_layernorm.eps == 1e-6
    assert network.layers[0].input_layernorm.eps == 0.1


def test_fused_projections_of_afm_split_after_quantization() -> None:
    """Queries, keys and values stay near those of the layer in floats."""
    network = build(normalize(tiny_architectures.configuration("afm7")))
    layer = network.layers[0].self_attn.qkv_proj
    inputs = mx.random.normal((1, 3, 64), key=mx.random.key(1))
    quantized = layer.to_quantized(group_size=32, bits=8, mode="affine")(inputs)
    assert [part.shape for part in quantized] == [(1, 3, 64), (1, 3, 32), (1, 3, 32)]
    assert all(mx.allclose(part, exact, atol=0.05) for part, exact in zip(quantized, layer(inputs), strict=True))


def test_fused_projections_of_afm_split_after_unpacking() -> None:
    """As on the CPU, where quantized weights are unpacked."""
    network, tokens = _network(tiny_architectures.configuration("afm7")), mx.array([[1, 2, 3]])
    nn.quantize(network, group_size=32, bits=8, class_predicate=lambda path, _: path.endswith("qkv_proj"))
    expected = network(tokens)
    network.dequantize()
    assert not any(isinstance(module, nn.QuantizedLinear) for module in network.modules())
    np.testing.assert_allclose(network(tokens), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "architecture", ["seed_oss", "minicpm", "minicpm3", "llama", "qwen3", "gemma3_text", "ernie4_5"]
)
def test_a_tied_head_works_with_quantized_embeddings(architecture: str) -> None:
    """The logits are those of the same weights, unpacked."""
    config = tiny_architectures.configuration(architecture) | {"tie_word_embeddings": True}
    network = _network(config)
    nn.quantize(network, group_size=32, bits=8, class_predicate=lambda _, layer: isinstance(layer, nn.Embedding))
    tokens = mx.array([[1, 2, 3]])
    np.testing.assert_allclose(network(tokens), dequantize_model(network)(tokens), rtol=1e-3, atol=1e-3)


def test_minicpm_scales_the_logits_of_a_tied_head() -> None:
    config = tiny_architectures.configuration("minicpm") | {"tie_word_embeddings": True, "dim_model_base": 16}
    network, tokens = _network(config), mx.array([[1, 2, 3]])
    expected = network.model.embed_tokens.as_linear(network.model(tokens))
    scale = network.args.dim_model_base / network.args.hidden_size
    assert scale != 1
    np.testing.assert_allclose(network(tokens), expected * scale, rtol=1e-4, atol=1e-5)
