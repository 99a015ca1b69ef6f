"""Loads the network of a model folder with its weights.

Like `mlx_lm.utils.load_model` of mlx-lm 0.32, but from the normalized configuration and from the files that hold the
weights, with Facet's corrections. No code in the folder is run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx_lm import utils
from mlx_lm.models.bitlinear_layers import bitnet_quantize

from mlx_engine.models.configuration.read import read_configuration
from mlx_engine.models.files.weight_files import weight_files
from mlx_engine.modes import MODES
from mlx_engine.networks.build import build, sanitize

_nn: Any = nn
_utils: Any = utils  # Its functions have no types, and some are private.


def load_network(folder: Path) -> tuple[Any, dict[str, Any]]:
    """Return the network in `folder` with its configuration. The weights are read when they are used.

    Raises:
        ModelError: config.json is damaged or states something that Facet does not support.
        Any error that mlx-lm and MLX raise on unsuitable folders (`models.files.foreign_errors`).
    """
    config = read_configuration(folder)
    weights: dict[str, mx.array] = {}
    for file in weight_files(folder).files:
        weights |= mx.load(str(file))  # type: ignore[arg-type]  # a dictionary
    network = build(config)
    weights = sanitize(network, config, weights)
    network, weights = _quantized(network, weights, config)
    network.eval()
    network.load_weights(list(weights.items()), strict=True)
    return network, config


def _quantized(network: Any, weights: dict[str, mx.array], config: dict[str, Any]) -> tuple[Any, dict[str, mx.array]]:
    """Return the network with quantized layers where the weights are, and the weights in its layout."""
    settings = config.get("quantization")
    if settings is None:
        published = config.get("quantization_config") or {}
        method = published.get("quant_method")
        if method == "bitnet":
            return bitnet_quantize(network, published), weights
        if method in ("awq", "gptq"):
            weights, settings = _utils._transform_awq_weights(weights, published)
        elif method == "compressed-tensors":
            settings = _utils._compressed_tensors_quantization(published)
        else:
            settings = _published_format(method, published)
    if settings:
        config["quantization"] = settings
        _quantize(network, weights, settings)
    return network, weights


def _published_format(method: str | None, published: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the format in MLX's terms, if MLX has the format in which the weights are published."""
    if method == "fp8" and published.get("scale_fmt") == "ue8m0" and published.get("weight_block_size") == [32, 32]:
        method = "mxfp8"  # Power-of-two scales over blocks of 32 x 32.
    if method == "modelopt":
        settings = published.get("quantization", published)
        method = str(settings.get("quant_algo")).lower()
    mode = MODES.get(method or "")
    if mode is None:
        return None
    return {"group_size": mode.groups[0], "bits": mode.bits[0], "mode": mode.name}


def _quantize(network: Any, weights: Mapping[str, mx.array], settings: Mapping[str, Any]) -> None:
    def format_of(path: str, layer: Any) -> Any:
        if path in settings:
            return settings[path]
        if not hasattr(layer, "to_quantized") or f"{path}.scales" not in weights:
            return False
        form = _utils.infer_quant_config(path, layer, weights)
        if f"{path}.global_scale" in weights and _utils._takes_global_scale(layer):
            form["global_scale"] = True
        return form

    _nn.quantize(
        network,
        group_size=settings["group_size"],
        bits=settings["bits"],
        mode=settings.get("mode", "affine"),
        class_predicate=format_of,
    )
