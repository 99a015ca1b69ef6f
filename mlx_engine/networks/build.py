"""Builds a network without weights: the one way for loading, converting and measuring."""

import copy
from collections.abc import Mapping
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten

from mlx_engine.errors import UnsupportedModel
from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.obstacle import obstacle
from mlx_engine.models.description.architecture import find_implementation
from mlx_engine.networks import model_classes
from mlx_engine.networks.expert_groups import shift_biases
from mlx_engine.networks.gated_norm import correct_gated_norms
from mlx_engine.networks.layouts import arrange, complete
from mlx_engine.networks.rotation import correct_rotation
from mlx_engine.networks.windows import correct_windows


def build(config: Mapping[str, Any]) -> Any:
    """Return the network of a normalized configuration. Its parameters are allocated only when they are used.

    Raises:
        UnsupportedModel: the model needs its own code, or has a setting that Facet does not support.
        Any error that mlx-lm raises on invalid configurations (`models.files.foreign_errors`).
    """
    if config.get("model_file") is not None:
        raise UnsupportedModel("The model needs Python code from its own folder, which Facet never runs.")
    implementation = find_implementation(str(config.get("model_type")), tuple(config.get("architectures") or ()))
    if reason := obstacle(config, implementation.names if implementation else frozenset()):
        raise UnsupportedModel(reason)
    values = copy.deepcopy(dict(config))  # Some of mlx-lm's classes change it.
    model, arguments = model_classes(values)
    network = model(arguments.from_dict(values))
    correct_rotation(network, config)
    correct_windows(network, config)
    correct_gated_norms(network)
    return network


def sanitize(network: Any, config: Mapping[str, Any], weights: dict[str, mx.array]) -> dict[str, mx.array]:
    """Return the weights of the files in the layout of `network`. Call it once: it may change the network."""
    text = text_section(config) or config
    architectures = [str(part.get("model_type")) for part in ([config] if text is config else [config, text])]
    weights = arrange(weights, architectures, _parameters(network))
    if hasattr(network, "sanitize"):
        weights = network.sanitize(weights)
    weights = complete(weights, _parameters(network), has_tied_head=bool(text.get("tie_word_embeddings")))
    return shift_biases(weights, text)


def _parameters(network: Any) -> dict[str, mx.array]:
    flat: Any = tree_flatten(network.parameters())
    return dict(flat)
