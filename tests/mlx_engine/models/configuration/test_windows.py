from typing import Any

import pytest

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.configuration.windows import layer_windows

_sliding, _full = "sliding_attention", "full_attention"


@pytest.mark.parametrize(
    ("values", "windows"),
    [
        ({"model_type": "mistral", "sliding_window": 8}, (8, 8, 8, 8)),
        ({"model_type": "mistral", "sliding_window": None}, (0, 0, 0, 0)),
        ({"model_type": "gemma2", "sliding_window": 8}, (8, 0, 8, 0)),
        ({"model_type": "qwen2", "sliding_window": 8, "max_window_layers": 2}, (0, 0, 0, 0)),
        (
            {"model_type": "qwen2", "sliding_window": 8, "max_window_layers": 2, "use_sliding_window": True},
            (0, 0, 8, 8),
        ),
        ({"model_type": "gemma3_text", "sliding_window": 8, "sliding_window_pattern": 2}, (8, 0, 8, 0)),
        ({"model_type": "olmo3", "sliding_window": 8, "layer_types": [_full, _sliding] * 2}, (0, 8, 0, 8)),
        ({"model_type": "phi3", "sliding_window": 8}, (8, 8, 8, 8)),
        ({"model_type": "dots1", "sliding_window": 8, "max_window_layers": 3}, (0, 0, 0, 8)),
        (
            {"model_type": "exaone4", "num_hidden_layers": 4, "sliding_window": 8, "sliding_window_pattern": "LG"},
            (8, 0, 8, 0),
        ),
        ({"model_type": "smollm3", "sliding_window": 8, "use_sliding_window": True}, (0, 0, 0, 8)),
        (
            {"model_type": "smollm3", "sliding_window": 8, "use_sliding_window": True, "no_rope_layers": [0, 1, 1, 0]},
            (8, 0, 0, 8),
        ),
    ],
)
def test_the_layers_have_the_windows_of_transformers(values: dict[str, Any], windows: tuple[int, ...]) -> None:
    assert layer_windows(normalize(values), 4) == windows


def test_an_unknown_family_has_no_rule() -> None:
    assert layer_windows({"model_type": "unheard_of", "sliding_window": 8}, 4) is None


def test_layer_types_are_filled_in_where_older_configurations_lack_them() -> None:
    config = normalize({"model_type": "gemma3_text", "sliding_window_pattern": 2, "num_hidden_layers": 4})
    assert config["layer_types"] == [_sliding, _full] * 2


def test_an_absurd_number_of_layers_has_no_windows() -> None:
    assert layer_windows({"model_type": "gemma2", "sliding_window": 8}, 2**31 - 1) is None
