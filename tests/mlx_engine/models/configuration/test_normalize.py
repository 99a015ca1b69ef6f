from typing import Any

import pytest

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.configuration.obstacle import obstacle

_yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}
_older: dict[str, Any] = {"model_type": "llama", "rope_theta": 12345.0, "max_position_embeddings": 512}


@pytest.mark.parametrize(
    "values",
    [
        _older,
        _older | {"rope_scaling": {"type": "yarn", "factor": 4.0}},
        {"model_type": "phi3", "rope_scaling": {"type": "su", "short_factor": [1.0], "long_factor": [2.0]}},
        {"model_type": "gemma3", "text_config": {"rope_scaling": {"rope_type": "linear", "factor": 8.0}}},
        {"model_type": "qwen3_moe", "num_local_experts": 4},
        {"model_type": "unheard_of", "time_step_limit": [0.0, {"__float__": "Infinity"}]},
    ],
)
def test_normalizing_twice_changes_nothing(values: dict[str, Any]) -> None:
    config = normalize(values)
    assert normalize(config) == config


def test_the_rotation_is_the_same_in_both_forms() -> None:
    older = normalize(_older | {"rope_scaling": _yarn})
    newer = normalize({**_older, "rope_theta": None, "rope_parameters": {**_yarn, "rope_theta": 12345.0}})
    assert older["rope_parameters"] == newer["rope_parameters"]
    assert (older["rope_theta"], older["rope_scaling"]) == (newer["rope_theta"], newer["rope_scaling"])


def test_the_types_of_layers_have_their_own_rotation() -> None:
    text = normalize({"model_type": "gemma3_text", "rope_theta": 1e6, "rope_local_base_freq": 5e3})
    bases = {name: entry["rope_theta"] for name, entry in text["rope_parameters"].items()}
    assert bases == {"full_attention": 1e6, "sliding_attention": 5e3}


def test_the_class_decides_between_models_that_share_a_type() -> None:
    saved = {"model_type": "minimax", "architectures": ["MiniMaxM2ForCausalLM"]}
    assert normalize(saved)["model_type"] == "minimax_m2"
    assert normalize(saved | {"architectures": ["MiniMaxForCausalLM"]})["model_type"] == "minimax"


def test_a_field_has_all_its_names() -> None:
    config = normalize({"model_type": "qwen3_moe", "num_local_experts": 4})
    assert (config["num_experts"], config["num_local_experts"]) == (4, 4)


def test_absent_fields_have_the_defaults_of_transformers() -> None:
    assert normalize({"model_type": "llama"})["tie_word_embeddings"] is False
    assert normalize({"model_type": "gemma2"})["tie_word_embeddings"] is True


def test_a_null_is_not_replaced_by_a_default() -> None:
    assert normalize({"model_type": "mistral", "sliding_window": None})["sliding_window"] is None


@pytest.mark.parametrize("names", [("dtype", "torch_dtype"), ("torch_dtype", "dtype")])
def test_the_type_has_both_names(names: tuple[str, str]) -> None:
    assert normalize({"model_type": "llama", names[0]: "bfloat16"})[names[1]] == "bfloat16"


def test_the_whole_decides_about_tied_embeddings() -> None:
    config = normalize({"model_type": "gemma3", "tie_word_embeddings": False, "text_config": {}})
    assert config["text_config"]["tie_word_embeddings"] is False


def test_settings_of_mlx_under_another_name_count_as_its_own() -> None:
    settings = {"bits": 4, "group_size": 64}
    assert normalize({"model_type": "llama", "quantization_config": settings})["quantization"] == settings
    assert "quantization" not in normalize({"model_type": "llama", "quantization_config": {"quant_method": "awq"}})


def test_a_null_base_is_the_default() -> None:
    assert normalize({"model_type": "llama", "rope_parameters": {"rope_theta": None}})["rope_theta"] == 10_000.0


@pytest.mark.parametrize("base", ["many", -1, 0, {}])
def test_a_base_that_is_not_a_positive_number_is_refused(base: object) -> None:
    config = normalize({"model_type": "llama", "rope_parameters": {"rope_theta": base, "rope_type": "default"}})
    assert "rope_theta" in obstacle(config, frozenset({"hidden_act"}))
