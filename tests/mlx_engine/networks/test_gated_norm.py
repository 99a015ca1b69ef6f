from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build

_mamba2: dict[str, Any] = {
    "model_type": "mamba2",
    "hidden_size": 8,
    "num_heads": 4,
    "head_dim": 4,
    "state_size": 4,
    "expand": 2,
    "num_hidden_layers": 1,
    "vocab_size": 16,
    "layer_norm_epsilon": 1e-5,
}
_falcon: dict[str, Any] = {
    "model_type": "falcon_h1",
    "hidden_size": 8,
    "intermediate_size": 8,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "num_hidden_layers": 1,
    "vocab_size": 16,
    "mamba_d_ssm": 16,
    "mamba_n_heads": 4,
    "mamba_d_head": 4,
    "mamba_d_state": 4,
    "mamba_rms_norm": True,
    "rms_norm_eps": 1e-5,
}


def _silu(values: np.ndarray) -> np.ndarray:
    return values / (1 + np.exp(-values))


def _normalized(values: np.ndarray, groups: int) -> np.ndarray:
    parts = values.reshape(groups, -1)
    return (parts / np.sqrt((parts**2).mean(axis=-1, keepdims=True) + 1e-5)).reshape(-1)


def _norm(config: dict[str, Any]) -> Any:
    layer: Any = build(normalize(config)).layers[0]
    return layer.mamba.norm if "mamba" in layer else layer.mixer.norm


def _inputs() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    return generator.normal(size=16).astype(np.float32) * np.arange(16), generator.normal(size=16).astype(np.float32)


@pytest.mark.parametrize(
    ("config", "groups"),
    [
        (_mamba2 | {"n_groups": 1}, 1),
        (_mamba2 | {"n_groups": 2}, 2),
        (_falcon | {"mamba_n_groups": 2, "mamba_norm_before_gate": False}, 2),
    ],
)
def test_each_group_is_normalized_after_the_gate(config: dict[str, Any], groups: int) -> None:
    values, gate = _inputs()
    output = _norm(config)(mx.array(values), mx.array(gate))
    np.testing.assert_allclose(np.array(output), _normalized(values * _silu(gate), groups), rtol=1e-4, atol=1e-5)


def test_each_group_is_normalized_before_the_gate() -> None:
    values, gate = _inputs()
    output = _norm(_falcon | {"mamba_n_groups": 2, "mamba_norm_before_gate": True})(mx.array(values), mx.array(gate))
    np.testing.assert_allclose(np.array(output), _normalized(values, 2) * _silu(gate), rtol=1e-4, atol=1e-5)
