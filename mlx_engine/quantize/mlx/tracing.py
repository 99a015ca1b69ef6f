"""Reads the outline of a model: its network's parameters, and the bytes of its files that make up each of them.

mlx-lm builds the network and converts placeholders for the weights to its layout. Placeholders have the shapes and
types of the tensors but no contents, so only headers are read, and no memory is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import mlx.core as mx
from mlx_lm.utils import infer_quant_config

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.files import foreign_errors as foreign
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.modes import MODES
from mlx_engine.quantize.mlx.exportable import exportable
from mlx_engine.quantize.mlx.network import Network, as_format
from mlx_engine.quantize.mlx.source import mlx_type, safetensors_type
from mlx_engine.quantize.plan.dropped import dropped
from mlx_engine.quantize.plan.lineage import Graph, Lineage, whole
from mlx_engine.quantize.plan.outline import Outline, Parameter
from mlx_engine.quantize.recipes.recipe import Format

_export: Any = mx.export_function  # its types leave no room for weights
_infer: Any = infer_quant_config  # has no types

_floats = ("float16", "bfloat16", "float32")


@dataclass(frozen=True, slots=True)
class Origin:
    """An array of the network, with its lineage."""

    shape: tuple[int, ...]
    dtype: mx.Dtype
    lineage: Lineage


@dataclass(frozen=True, slots=True)
class NetworkTrace:
    """`arrays` are the weights in the network's layout, by name.

    A matrix that is quantized in the files has two or three arrays; `formats` has its format, by its layer's path.
    """

    outline: Outline
    config: Mapping[str, Any]
    arrays: Mapping[str, Origin]
    formats: Mapping[str, Format]


def trace(
    config: Mapping[str, Any], tensors: Mapping[str, TensorEntry], *, name: str, quantization: str = ""
) -> NetworkTrace:
    """Trace the network of `config`, whose files contain `tensors`.

    `quantization` is that of the files, if any.

    Raises:
        ModelError: the files do not match the network, or mlx-lm does not run it.
    """
    try:
        network, arrays = _arrange(config, tensors)
        formats = _formats(network, arrays)
        parameters = _parameters(network, arrays, formats, name)
        layers = network.layers
    except foreign.FOREIGN_ERRORS as error:
        raise foreign.translate(error, name) from error
    used = frozenset[str]().union(*(array.lineage.tensors for array in arrays.values()))
    outline = Outline(
        architecture=str(config["model_type"]),
        layers=layers,
        dtype=_cast_type(network.config),
        parameters=parameters,
        dropped=dropped(tensors, used, network.config),
        quantization=quantization,
    )
    return NetworkTrace(outline, network.config, arrays, formats)


def _arrange(config: Mapping[str, Any], tensors: Mapping[str, TensorEntry]) -> tuple[Network, dict[str, Origin]]:
    weights = {name: _placeholder(name, entry) for name, entry in tensors.items()}
    sizes = {name: entry.size_bytes for name, entry in tensors.items()}
    try:
        return _by_graph(Network(config), weights, sizes)
    except ValueError as error:
        # A step cannot be exported, or reads the weights themselves.
        if not str(error).startswith(("[export_function]", "[eval]")):
            raise
    return _by_identity(Network(config), weights, sizes)


def _placeholder(name: str, entry: TensorEntry) -> mx.array:
    dtype = mlx_type(entry.dtype)
    if dtype is None:
        raise UnsupportedModel(f"{name} has the type {entry.dtype}, which MLX does not support.")
    return mx.zeros(entry.shape, dtype)


def _by_graph(
    network: Network, weights: dict[str, mx.array], sizes: Mapping[str, int]
) -> tuple[Network, dict[str, Origin]]:
    graph = Graph(sizes)
    results: list[tuple[str, tuple[int, ...], mx.Dtype]] = []

    def sanitize(*placeholders: mx.array) -> list[mx.array]:
        result = network.sanitize(dict(zip(weights, placeholders, strict=True)))
        results.extend((name, tuple(array.shape), array.dtype) for name, array in result.items())
        return list(result.values())

    with exportable():
        # Positional, because MLX accepts at most 1,024 named arguments.
        _export(graph, sanitize, *weights.values())
    lineages = graph.lineages()
    origins = {
        name: Origin(shape, dtype, lineage) for (name, shape, dtype), lineage in zip(results, lineages, strict=True)
    }
    return network, origins


def _by_identity(
    network: Network, weights: dict[str, mx.array], sizes: Mapping[str, int]
) -> tuple[Network, dict[str, Origin]]:
    """Trace only arrays that are a tensor of the files. Others may come from any tensor."""
    names = {id(array): name for name, array in weights.items()}
    result = network.sanitize(dict(weights))
    everything = frozenset(weights)

    def origin(array: mx.array) -> Origin:
        name = names.get(id(array))
        lineage = Lineage(None, everything) if name is None else whole(name, sizes[name])
        return Origin(tuple(array.shape), array.dtype, lineage)

    return network, {name: origin(array) for name, array in result.items()}


def _formats(network: Network, arrays: Mapping[str, Origin]) -> dict[str, Format]:
    """Return the formats of layers that MLX has quantized, by path, as in `mlx_lm.utils.load_model`."""
    settings = network.config.get("quantization")
    if settings is None:
        _refuse_foreign(network.config)
        return {}
    shapes = network.parameters()
    return {
        path: as_format(settings[path] if isinstance(settings.get(path), dict) else _inferred(path, shapes, arrays))
        for path in network.quantizable()
        if f"{path}.scales" in arrays
    }


def _refuse_foreign(config: Mapping[str, Any]) -> None:
    settings = config.get("quantization_config") or (config.get("text_config") or {}).get("quantization_config")
    if isinstance(settings, dict):
        method = settings.get("quant_method", "an unknown method")
        raise UnsupportedModel(f"Facet can't convert weights that are quantized by {method}.")


def _inferred(path: str, shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, Origin]) -> dict[str, Any]:
    layer = SimpleNamespace(weight=SimpleNamespace(shape=shapes[f"{path}.weight"]))
    settings: dict[str, Any] = _infer(path, layer, arrays)
    return settings


def _parameters(
    network: Network, arrays: Mapping[str, Origin], formats: Mapping[str, Format], model: str
) -> tuple[Parameter, ...]:
    shapes = network.parameters()
    companions = {f"{path}.{part}" for path in formats for part in ("scales", "biases")}
    if missing := [name for name in shapes if name not in arrays]:
        raise BrokenModel(f"{model} lacks {_count(missing)} of its network. Look for another version of the model.")
    if unexpected := [name for name in arrays if name not in shapes and name not in companions]:
        raise UnsupportedModel(f"{model} has {_count(unexpected)} that mlx-lm does not support.")
    packed = {f"{path}.weight" for path in formats}
    for name, shape in shapes.items():
        if name not in packed and shape != arrays[name].shape:
            raise BrokenModel(f"{model}: {name} is {arrays[name].shape} in the files, but {shape} in the network.")
    treatments = network.quantizable()
    return tuple(
        Parameter(
            name=name,
            shape=shape,
            dtype=_float_type(arrays, formats, name),
            can_be_quantized=name.endswith(".weight") and name.removesuffix(".weight") in treatments,
            can_be_cast=network.can_be_cast(name),
            prescribed=treatments.get(name.removesuffix(".weight")) if name.endswith(".weight") else None,
            stored=formats.get(name.removesuffix(".weight")) if name.endswith(".weight") else None,
        )
        for name, shape in shapes.items()
    )


def _count(names: list[str]) -> str:
    return f"{len(names):,} tensor{'s' if len(names) > 1 else ''} (first {names[0]})"


def _float_type(arrays: Mapping[str, Origin], formats: Mapping[str, Format], name: str) -> str:
    """Return the type of a parameter; a packed one is unpacked to the type of its scales, or to bfloat16."""
    path = name.removesuffix(".weight")
    if path not in formats or name == path:
        return safetensors_type(arrays[name].dtype)
    return "BF16" if MODES[formats[path].mode].has_byte_scales else safetensors_type(arrays[f"{path}.scales"].dtype)


def _cast_type(config: Mapping[str, Any]) -> str:
    dtype = config.get("torch_dtype")
    text = config.get("text_config")
    if dtype is None and isinstance(text, dict):
        dtype = text.get("dtype")
    return dtype if dtype in _floats else ""
