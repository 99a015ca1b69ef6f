from typing import Any

import pytest

from mlx_engine.models.configuration.fields import describe_ignored, ignored_fields, unknown_fields
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.configuration.obstacle import obstacle
from mlx_engine.models.description.architecture import find_implementation


def _names(architecture: str) -> frozenset[str]:
    implementation = find_implementation(architecture)
    assert implementation is not None
    return implementation.names


@pytest.mark.parametrize(
    ("architecture", "field", "value"),
    [
        ("llama", "hidden_act", "gelu"),
        ("gpt2", "scale_attn_by_inverse_layer_idx", True),
        ("olmoe", "clip_qkv", 8.0),
        ("phimoe", "lm_head_bias", False),
        ("gpt_bigcode", "multi_query", False),
        ("nemotron", "hidden_act", "silu"),
        ("nanochat", "final_logit_softcapping", 30.0),
    ],
)
def test_a_field_that_changes_the_network_but_is_not_read_is_named(architecture: str, field: str, value: Any) -> None:
    built_in = {"attention_bias": True, "lm_head_bias": True} if architecture == "phimoe" else {}
    config = normalize({"model_type": architecture, **built_in, field: value})
    assert ignored_fields(config, _names(architecture)) == (field,)
    assert field in obstacle(config, _names(architecture))


@pytest.mark.parametrize(
    "values",
    [
        {"model_type": "llama", "hidden_act": "swish"},
        {"model_type": "llama", "attention_dropout": 0.1, "initializer_range": 0.01, "pretraining_tp": 2},
        {"model_type": "qwen3_moe", "num_local_experts": 4},
        {"model_type": "starcoder2", "use_bias": True},
        {"model_type": "llama4", "text_config": {"no_rope_layers": [1, 1, 1, 0] * 2}},
        {"model_type": "gemma", "hidden_act": "gelu"},
        {"model_type": "gpt_bigcode", "activation_function": "gelu"},
        {"model_type": "qwen2_5_vl", "hidden_act": "silu", "hidden_size": 64, "vision_config": {"hidden_act": "silu"}},
        {"model_type": "minimax", "architectures": ["MiniMaxM2ForCausalLM"], "head_dim": 16},
        {"model_type": "unheard_of", "spin": 3},
    ],
)
def test_a_field_that_changes_nothing_is_accepted(values: dict[str, Any]) -> None:
    implementation = find_implementation(values["model_type"])
    names = implementation.names if implementation else frozenset[str]()
    assert obstacle(normalize(values), names) == ""


def test_an_unknown_field_is_reported() -> None:
    config = normalize({"model_type": "llama", "spin": 3, "use_cache": True, "mystery": None})
    assert unknown_fields(config, _names("llama")) == ("spin",)


def test_a_long_list_is_cut() -> None:
    assert "a, b, c and 2 more" in describe_ignored(("a", "b", "c", "d", "e"))


def test_a_scaled_rotation_is_refused_where_the_network_has_its_waves_built_in() -> None:
    scaled = normalize({"model_type": "nanochat", "rope_scaling": {"type": "linear", "factor": 4.0}})
    assert "linear" in obstacle(scaled, _names("nanochat"))
    assert obstacle(normalize({"model_type": "nanochat"}), _names("nanochat")) == ""
