from typing import Any

import pytest

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.description.architecture import find_implementation
from mlx_engine.models.description.deviations import deviations


def _reasons(config: dict[str, Any]) -> str:
    implementation = find_implementation(config["model_type"])
    assert implementation is not None
    return " ".join(deviations(config, normalize(config), implementation.names))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "llama", "rope_parameters": {"rope_theta": 5e5}}, "default base"),
        ({"model_type": "gemma2", "num_hidden_layers": 4, "sliding_window": 4096}, "window of 4,096 tokens"),
        ({"model_type": "phi3", "rope_scaling": {"type": "longrope"}, "sliding_window": None}, "long contexts"),
        ({"model_type": "gpt_oss", "rope_scaling": {"type": "yarn", "truncate": False}}, "truncate"),
        ({"model_type": "qwen3_moe", "rope_scaling": {"type": "yarn", "factor": 4.0}}, "ignores rope_scaling"),
        ({"model_type": "ernie4_5_moe"}, "without their corrections"),
        ({"model_type": "falcon_h1", "key_multiplier": 0.39}, "key_multiplier"),
        ({"model_type": "mamba2", "n_groups": 8}, "groups of its layers"),
        ({"model_type": "deepseek_v3", "n_group": 8}, "outside the best groups"),
        ({"model_type": "glm", "rope_theta": 1e4, "partial_rotary_factor": 0.5}, "partial_rotary_factor"),
        ({"model_type": "ministral3", "num_hidden_layers": 2, "sliding_window": 4096}, "window of 4,096 tokens"),
    ],
)
def test_what_stock_mlx_lm_computes_differently_is_named(config: dict[str, Any], reason: str) -> None:
    assert reason in _reasons(config)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "llama", "rope_theta": 5e5},
        {"model_type": "qwen3", "rope_parameters": {"rope_theta": 5e5}},
        {"model_type": "mistral", "num_hidden_layers": 2, "sliding_window": None},
        {"model_type": "glm", "rope_theta": 1e4, "partial_rotary_factor": 1.0},
        {"model_type": "phi3", "num_hidden_layers": 2, "sliding_window": 262144, "max_position_embeddings": 131072},
    ],
)
def test_models_that_it_computes_as_their_reference_have_no_note(config: dict[str, Any]) -> None:
    assert _reasons(config) == ""
