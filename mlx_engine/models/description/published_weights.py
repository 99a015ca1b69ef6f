"""Whether mlx-lm runs weights that another program has quantized as they lie there, and whether Facet converts them.

Told from config.json alone. Source: mlx-lm 0.32, `utils.load_model` and the architectures' own `sanitize`.
"""

import platform
import sys
from collections.abc import Mapping
from typing import Any

from mlx_engine.models.files.configuration import Configuration

SCALES = ("weight_scale_inv", "weight_packed", "weight_scale_2")
"""Tensors of other programs that some architectures of mlx-lm unpack for themselves, one for each kind below."""
_scales_of = {"fp8": SCALES[0], "compressed-tensors": SCALES[1], "modelopt": SCALES[2]}
_converted = frozenset({"awq", "bitnet", "compressed-tensors", "fbgemm_fp8", "fp8", "gptq", "modelopt", "mxfp4"})
_cure = "Quantize it: the recipe lossless keeps its weights where MLX has a format for them."


def obstacle(config: Configuration, known_scales: frozenset[str]) -> str:
    """Return why the weights cannot be run as they are, in a sentence or two; "" if they can.

    `known_scales` are those of SCALES that the architecture unpacks for itself.
    """
    settings = _settings(config)
    method = str(settings.get("quant_method", ""))
    if not method or _runs(method, settings, known_scales):
        return ""
    if not can_be_converted(config):
        return (
            f"Its weights are quantized by {method[:40]}, which Facet neither runs nor converts. Look for the original "
            "model, or for one quantized by AWQ, GPTQ or MLX."
        )
    if method == "bitnet" and settings.get("quantization_mode") != "online":
        return "Its packed ternary weights need a Mac's GPU. Quantize it: the recipe lossless makes it run anywhere."
    return f"mlx-lm does not run weights as {method} publishes them for this architecture. {_cure}"


def can_be_converted(config: Configuration) -> bool:
    """Tell whether Facet reads weights of this kind at all; what is wrong with them in detail turns up later."""
    method = _settings(config).get("quant_method")
    return not method or method in _converted


def _settings(config: Configuration) -> Mapping[str, Any]:
    return {} if config.section("quantization") else config.section("quantization_config")


def _runs(method: str, settings: Mapping[str, Any], known_scales: frozenset[str]) -> bool:
    match method:
        case "bitnet":
            return _has_metal() and settings.get("quantization_mode") != "online"
        case "awq":
            return settings.get("bits", 4) == 4 and str(settings.get("version", "gemm")).lower() == "gemm"
        case "mxfp4" | "mxfp8":
            return True
        case "fp8" if settings.get("scale_fmt") == "ue8m0" and settings.get("weight_block_size") == [32, 32]:
            return True
        case _:
            return _scales_of.get(method) in known_scales


def _has_metal() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"
