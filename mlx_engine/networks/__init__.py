"""The class that runs a model: mlx-lm's, except for the few that need another implementation here."""

from typing import Any

from mlx_lm.models import ernie4_5_moe as stock_ernie4_5_moe
from mlx_lm.models import jamba as stock_jamba
from mlx_lm.utils import _get_classes  # the default of mlx_lm.utils.load_model

from mlx_engine.networks import bitnet, ernie4_5_moe, jamba

_corrected: dict[Any, Any] = {
    stock_ernie4_5_moe.Model: ernie4_5_moe.Model,
    stock_jamba.Model: jamba.Model,
}
"""mlx-lm's classes that compute something else than their reference, with ours."""


def model_classes(config: dict[str, Any]) -> tuple[Any, Any]:
    """Return the network's class and that of its settings; `mlx_lm.utils.load_model` takes this function.

    Raises:
        ValueError: mlx-lm does not know the architecture.
    """
    network, settings = _get_classes(config)
    if corrected := _corrected.get(network):
        return corrected, settings
    packed = (config.get("quantization_config") or {}).get("quant_method") == "bitnet"
    if config.get("model_type") == "bitnet" and not packed:
        return bitnet.Model, settings
    return network, settings
