from typing import Any

import pytest

from mlx_engine.models.configuration.normalize import normalize

_sliding, _full = "sliding_attention", "full_attention"


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        ({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4}, "head_dim", 16),
        ({"model_type": "apertus"}, "qk_norm", True),
        ({"model_type": "gpt2", "n_positions": 77}, "n_ctx", 77),
        ({"model_type": "exaone_moe", "mlp_layer_types": ["dense", "sparse"]}, "is_moe_layer", [False, True]),
        ({"model_type": "gpt_neox", "rope_parameters": {"partial_rotary_factor": 0.5}}, "rotary_pct", 0.5),
        (
            {"model_type": "granitemoehybrid", "layer_types": ["linear_attention", _full]},
            "layer_types",
            ["mamba", "attention"],
        ),
    ],
)
def test_fields_of_mlx_lm_are_derived(values: dict[str, Any], field: str, expected: Any) -> None:
    assert normalize(values)[field] == expected


@pytest.mark.parametrize(
    ("kinds", "period"),
    [([_sliding, _full] * 2, 2), ([_sliding] * 3 + [_full], 4), ([_full, _sliding, _sliding, _full], 1)],
)
def test_the_period_of_windows_comes_from_the_layers(kinds: list[str], period: int) -> None:
    config = normalize({"model_type": "gemma3_text", "num_hidden_layers": 4, "layer_types": kinds})
    assert config["sliding_window_pattern"] == period


def test_sizes_by_layer_become_those_of_gemma_4s_layers_without_a_window() -> None:
    sizes = {"head_dim": 32, "num_key_value_heads": 1}
    config = normalize({"model_type": "gemma4_text", "per_layer_config": {"1": sizes, "3": sizes}})
    assert (config["global_head_dim"], config["num_global_key_value_heads"]) == (32, 1)


def test_granite_without_experts_has_the_width_of_the_shared_one() -> None:
    sizes = {"num_local_experts": 0, "intermediate_size": 96, "shared_intermediate_size": 32}
    assert normalize({"model_type": "granitemoehybrid", **sizes})["intermediate_size"] == 32


@pytest.mark.parametrize(
    ("stated", "last"), [({}, 3), ({"moe_layer_end_index": -1}, 3), ({"moe_layer_end_index": 2}, 2)]
)
def test_the_experts_of_ernie_end_in_the_last_layer(stated: dict[str, int], last: int) -> None:
    """mlx-lm takes -1 for a layer before the first one, and would build a model without experts."""
    config = normalize({"model_type": "ernie4_5_moe", "num_hidden_layers": 4, **stated})
    assert config["moe_layer_end_index"] == last
