"""The settings of other quantizers under one name for each packing of the weights.

Kernels and successors of AutoGPTQ and AutoAWQ write the same tensors under other names. Sources: AutoRound 0.9,
inference/backend.py; GPTQModel 2, quantization/config.py; vLLM 0.10, model_executor/layers/quantization.
"""

from collections.abc import Mapping
from typing import Any

_names = {
    "gptq": ("auto_gptq", "autogptq", "gptq_marlin", "gptqmodel"),
    "awq": ("auto_awq", "autoawq", "awq_marlin"),
    "compressed-tensors": ("compressed_tensors",),
}
_canonical = {alias: name for name, aliases in _names.items() for alias in aliases}
_auto_round = ("auto-round", "auto_round", "autoround", "intel/auto-round")
_auto_round_packings = {
    "auto": {"quant_method": "gptq", "checkpoint_format": "gptq"},
    "auto_round": {"quant_method": "gptq", "checkpoint_format": "gptq_v2"},
    "auto_round:auto_awq": {"quant_method": "awq", "version": "gemm"},
    "auto_round:auto_gptq": {"quant_method": "gptq", "checkpoint_format": "gptq"},
    "auto_round:gptqmodel": {"quant_method": "gptq", "checkpoint_format": "gptq_v2"},
}
_only_gptq = ("desc_act", "checkpoint_format", "damp_percent", "true_sequential")


def with_canonical_method(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents of "quantization_config", with the `quant_method` of its packing.

    AutoRound's packings of AutoGPTQ and AutoAWQ become those; its others keep its name. Settings without a method, but
    with fields of AutoGPTQ, get its name.
    """
    method = settings.get("quant_method")
    if method is None and any(field in settings for field in _only_gptq):
        return {**settings, "quant_method": "gptq"}
    if not isinstance(method, str):
        return dict(settings)
    if method in _auto_round and str(settings.get("data_type", "int")) == "int":
        packing = str(settings.get("packing_format", "auto"))
        return {**settings, **_auto_round_packings.get(packing, {})}
    return {**settings, "quant_method": _canonical.get(method, method)}
