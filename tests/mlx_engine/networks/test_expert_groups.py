import mlx.core as mx
import numpy as np

from mlx_engine.networks.expert_groups import shift_biases

_name = "layers.0.mlp.gate.e_score_correction_bias"


def test_biases_lose_their_sign_but_not_their_differences() -> None:
    weights = {_name: mx.array([-2.0, 0.5, 1.0]), "layers.0.mlp.gate.weight": mx.array([-1.0])}
    result = shift_biases(weights, {"n_group": 2})
    np.testing.assert_array_equal(np.array(result[_name]), [0.0, 2.5, 3.0])
    assert result["layers.0.mlp.gate.weight"].item() == -1.0


def test_biases_without_groups_stay() -> None:
    weights = {_name: mx.array([-2.0, 0.5])}
    assert shift_biases(weights, {"n_group": 1}) == weights
