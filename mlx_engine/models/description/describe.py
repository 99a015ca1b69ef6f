"""Describes a model from `config.json` and the headers of its safetensors files, or from the header of a GGUF file.

It does not read weights or import MLX.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlx_engine.errors import BrokenModel, ModelNotFound, StorageError, UnsupportedModel
from mlx_engine.models.configuration import fields
from mlx_engine.models.configuration import obstacle as configuration_obstacle
from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.read import FILE_NAME, read_configuration
from mlx_engine.models.description import (
    architecture,
    chat_template,
    deviations,
    dimensions,
    loaded,
    provenance,
    published_weights,
    weights,
)
from mlx_engine.models.description.bit_map import LayerBits, bit_map
from mlx_engine.models.description.card import read_card
from mlx_engine.models.description.description import BrokenDescription, ModelDescription, NetworkShape
from mlx_engine.models.description.weights import Weight
from mlx_engine.models.files import safetensors
from mlx_engine.models.files.json_file import read_json
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.models.files.weight_files import WeightFiles, absent_configuration, weight_files
from mlx_engine.versions import version_of

__all__ = ["BrokenDescription", "ModelDescription", "NetworkShape", "describe", "read_bit_map"]

_tokenizer_files = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "*.tiktoken")


def describe(path: Path, id: str) -> ModelDescription:
    """Return the description of the model in `path`, a folder or a GGUF file.

    Raises:
        ModelNotFound: the folder or file does not exist.
        BrokenModel: a file is missing, truncated or contradicts another.
        UnsupportedModel: the weights are in a format that Facet does not read.
        StorageError: the folder cannot be read.
    """
    if path.suffix.lower() == ".gguf" and path.is_file():
        from mlx_engine.models.description.gguf import describe_gguf  # noqa: PLC0415 - needed for few models

        return describe_gguf(path, id)
    if not path.is_dir():
        raise ModelNotFound(
            f"{path} no longer exists. If it is on an external disk, connect the disk. If you moved it, choose it in "
            "its new location. If you deleted it, download the model again."
        )
    try:
        return _describe(path, id)
    except OSError as error:
        raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error


def read_bit_map(path: Path) -> tuple[LayerBits, ...]:
    """Return the bits of each matrix of the model in the folder `path`, layer by layer.

    Raises:
        ModelError: the folder is not a complete model.
        StorageError: it cannot be read.
    """
    try:
        return bit_map(weights.read_weights(_read_tensors(weight_files(path).files), read_configuration(path)))
    except OSError as error:
        raise StorageError(f"Couldn't read {path}: {error.strerror}.") from error


def _describe(path: Path, id: str) -> ModelDescription:
    if not (path / FILE_NAME).exists():
        raise absent_configuration(path)
    published = read_json(path / FILE_NAME)
    values = read_configuration(path, published)
    config = Configuration(values)
    if not config.architecture:
        raise BrokenModel("config.json doesn't name the architecture of the model (model_type).")
    files = weight_files(path)
    tensors = _read_tensors(files.files)
    if not any(any(path.glob(pattern)) for pattern in _tokenizer_files):
        raise _no_tokenizer(path)
    all_weights = list(weights.read_weights(tensors, values))
    parameters = sum(weight.parameters for weight in all_weights)
    if not parameters:
        raise BrokenModel("The model's files contain no weights. Look for another version of the model.")
    used = loaded.loaded_tensors(tensors, config)
    used_weights = all_weights if len(used) == len(tensors) else list(weights.read_weights(used, values))
    note, card, traits = provenance.read(path), read_card(path), chat_template.read_traits(path)
    return ModelDescription(
        id=id,
        path=path,
        name=id.rpartition("/")[2],
        architecture=config.architecture,
        parameters=parameters,
        bits_per_weight=8 * sum(tensor.size_bytes for tensor in tensors.values()) / parameters,
        quantization=weights.format_precision(all_weights),
        size_bytes=sum(file.stat().st_size for file in path.iterdir() if file.is_file()),
        context_length=dimensions.context_length(config),
        has_chat_template=traits.exists,
        license=note.license or card.license,
        source=note.source,
        revision=note.revision,
        obstacle=_obstacle(config, values),
        notes=_notes(published, config, values, files),
        can_be_converted=_implementation(config) is not None and published_weights.can_be_converted(config),
        active_parameters=_active_parameters(all_weights, config),
        bits=weights.distinct_bits(all_weights),
        has_thinking=traits.has_thinking,
        has_tools=traits.has_tools,
        vision=loaded.vision(tensors, config),
        cache=dimensions.cache(config, used),
        shape=dimensions.shape(config),
        loaded_bytes=sum(tensor.size_bytes for tensor in used.values()),
        loaded_half_bytes=sum(tensor.size_bytes for tensor in used.values() if tensor.dtype in ("F16", "BF16")),
        loaded_parameters=sum(weight.parameters for weight in used_weights),
    )


def _no_tokenizer(path: Path) -> BrokenModel | UnsupportedModel:
    if (path / "tekken.json").is_file():
        return UnsupportedModel(
            "The tokenizer is in Mistral's own format (tekken.json), which Facet doesn't read. Look for a version of "
            "the model with tokenizer.json."
        )
    return BrokenModel("The tokenizer is missing (tokenizer.json). Download the model again.")


def _obstacle(config: Configuration, values: Mapping[str, Any]) -> str:
    implementation = _implementation(config)
    if implementation is None:
        return f"mlx-lm {version_of('mlx-lm')} doesn't support the architecture {config.architecture!r}."
    reason = configuration_obstacle.obstacle(values, implementation.names)
    return reason or published_weights.obstacle(config, implementation.unpacked_scales)


def _notes(
    published: Mapping[str, Any], config: Configuration, values: Mapping[str, Any], files: WeightFiles
) -> tuple[str, ...]:
    implementation = _implementation(config)
    names = implementation.names if implementation else frozenset[str]()
    unknown = fields.unknown_fields(text_section(values) or values, names) if implementation else ()
    notes = [fields.describe_unknown(unknown) if unknown else "", files.describe_strays()]
    deviating = deviations.deviations(published, values, names) if implementation else ()
    return (*deviating, *filter(None, notes))


def _implementation(config: Configuration) -> architecture.Implementation | None:
    return architecture.find_implementation(config.architecture, tuple(config.texts("architectures")))


def _active_parameters(all_weights: Sequence[Weight], config: Configuration) -> int:
    experts, active = dimensions.expert_counts(config)
    total = sum(weight.parameters for weight in all_weights)
    if not 0 < active < experts:
        return total
    in_experts = sum(weight.parameters for weight in all_weights if weight.is_expert)
    return total - in_experts * (experts - active) // experts


def _read_tensors(files: Iterable[Path]) -> dict[str, TensorEntry]:
    tensors: dict[str, TensorEntry] = {}
    for file in files:
        tensors |= safetensors.read_header(file)
    return tensors
