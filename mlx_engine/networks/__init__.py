"""The class that runs a model: mlx-lm's, except for the few that need another implementation here."""

import importlib
from typing import Any

from mlx_lm.utils import _get_classes  # the default of mlx_lm.utils.load_model

_corrected = frozenset(
    {
        "afm7",
        "ernie4_5_moe",
        "falcon_h1",
        "gemma3n",
        "glm4_moe_lite",
        "gpt_oss",
        "jamba",
        "lfm2_vl",
        "mimo_v2_flash",
        "minicpm",
        "minicpm3",
        "qwen2_moe",
        "qwen3_5_moe",
        "qwen3_vl_moe",
        "seed_oss",
    }
)
"""mlx-lm's modules that compute something else than their reference; the modules here have the same names."""


def model_classes(config: dict[str, Any]) -> tuple[Any, Any]:
    """Return the network's class and that of its settings; `mlx_lm.utils.load_model` takes this function.

    Raises:
        ValueError: mlx-lm does not know the architecture.
    """
    network, settings = _get_classes(config)
    name = network.__module__.rpartition(".")[2].replace("-", "_")
    packed = (config.get("quantization_config") or {}).get("quant_method") == "bitnet"
    if name not in _corrected and (name != "bitnet" or packed):
        return network, settings
    module: Any = importlib.import_module(f"{__name__}.{name}")
    return module.Model, getattr(module, "ModelArgs", settings)
