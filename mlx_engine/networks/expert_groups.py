"""Choice of experts from the best groups.

WORKAROUND(mlx-lm 0.32.2): its networks give the experts of other groups a score of 0. They are chosen where the scores
in the best groups, corrected by a bias, are negative. Source: transformers 5.23, `DeepseekV3TopkRouter`.
"""

from collections.abc import Mapping
from typing import Any

import mlx.core as mx

_biases = (".e_score_correction_bias", ".expert_bias")


def shift_biases(weights: Mapping[str, mx.array], config: Mapping[str, Any]) -> dict[str, mx.array]:
    """Return the weights with biases that are not negative, if the network of `config` chooses groups of experts.

    The choice depends on the differences of the scores only.
    """
    groups = config.get("n_group")
    if not isinstance(groups, int) or groups < 2:
        return dict(weights)
    return {name: _shifted(weight) if name.endswith(_biases) else weight for name, weight in weights.items()}


def _shifted(bias: mx.array) -> mx.array:
    return bias - bias.min()
