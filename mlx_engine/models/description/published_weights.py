"""Support for weights that other programs have quantized: run by mlx-lm directly, converted by Facet, or neither.

Decided from config.json alone. Source: mlx-lm 0.32, `utils.load_model` and the `sanitize` methods of its models.
"""

import platform
import sys
from collections.abc import Mapping
from typing import Any

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.modes import MODES

SCALES = ("weight_scale_inv", "weight_packed", "weight_scale_2")
"""Scale tensors of other quantizers that some of mlx-lm's models unpack themselves, one for each method below."""
_scales_of = {"fp8": SCALES[0], "compressed-tensors": SCALES[1], "modelopt": SCALES[2]}
_converted = frozenset({"awq", "bitnet", "compressed-tensors", "fbgemm_fp8", "fp8", "gptq", "modelopt", "mxfp4"})
_remedy = "Quantize it: the recipe lossless preserves its weights where MLX has a format for them."


def obstacle(config: Configuration, unpacked_scales: frozenset[str]) -> str:
    """Return the reason, as one or two sentences, why the weights cannot be run directly; "" if they can.

    `unpacked_scales` are those of SCALES that the model class unpacks itself.
    """
    settings = _settings(config)
    method = str(settings.get("quant_method", ""))
    if not method or _runs(method, settings, unpacked_scales):
        return ""
    if not can_be_converted(config):
        return (
            f"Its weights are quantized with {method[:40]}, which Facet can neither run nor convert. Look for the "
            "original model, or for one quantized with AWQ, GPTQ or MLX."
        )
    if method == "bitnet" and settings.get("quantization_mode") != "online":
        return "Its packed ternary weights need a Mac's GPU. Quantize it with the recipe lossless to run it anywhere."
    return f"mlx-lm doesn't run {method} weights of this architecture directly. {_remedy}"


def can_be_converted(config: Configuration) -> bool:
    """Return whether Facet reads weights of this kind at all; their details are checked later."""
    method = _settings(config).get("quant_method")
    return not method or method in _converted


def _settings(config: Configuration) -> Mapping[str, Any]:
    return {} if config.section("quantization") else config.section("quantization_config")


def _runs(method: str, settings: Mapping[str, Any], unpacked_scales: frozenset[str]) -> bool:
    match method:
        case "bitnet":
            return _has_metal() and settings.get("quantization_mode") != "online"
        case "awq":
            return settings.get("bits", 4) == 4 and str(settings.get("version", "gemm")).lower() == "gemm"
        case _ if method in MODES:
            return MODES[method].runs_as_published
        case "fp8" if settings.get("scale_fmt") == "ue8m0" and settings.get("weight_block_size") == [32, 32]:
            return True
        case _:
            return _scales_of.get(method) in unpacked_scales


def _has_metal() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"
