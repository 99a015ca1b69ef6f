"""Describes a repository before it is downloaded, in enough detail to estimate its memory.

It uses config.json and the sizes stated by the Hub. The tensors are unknown, so tensors that a text model would not
load are counted too. This module does not import `huggingface_hub`, so the window's process may use it.
"""

import re
from dataclasses import replace
from typing import Any

import msgspec

from mlx_engine.errors import UnsupportedModel
from mlx_engine.hub_messages import ModelPage, Variant
from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.description import dimensions
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.hub.cache import CachedRevision, cache_folder
from mlx_engine.models.hub.files import select

_bits = re.compile(r"(\d)-bit")


def describe_page(page: ModelPage) -> ModelDescription:
    """Return the description of the model on a page; without a valid configuration, it has no `cache`."""
    description = describe_variant(page.variant, weights_bytes=_weights_bytes(page))
    config = Configuration(normalize(_values(page.configuration)))
    return replace(
        description,
        path=CachedRevision.of(cache_folder(), page.variant.repository, page.commit).folder,
        revision=page.commit,
        architecture=config.architecture,
        context_length=dimensions.context_length(config),
        cache=dimensions.cache(config, {}),
        shape=dimensions.shape(config),
    )


def describe_variant(variant: Variant, *, weights_bytes: int = 0) -> ModelDescription:
    """Return the description of a search result, which has only weights; its folder is that of the repository."""
    weights_bytes = weights_bytes or variant.size_bytes
    bits = _bits.match(variant.quantization)
    packed_bytes = variant.parameters * int(bits[1]) // 8 if bits else 0
    parameters = variant.parameters or weights_bytes // 2
    return ModelDescription(
        id=variant.repository,
        path=CachedRevision.of(cache_folder(), variant.repository, "").repository_folder,
        name=variant.repository.rpartition("/")[2],
        architecture="",
        parameters=parameters,
        bits_per_weight=8 * weights_bytes / parameters if parameters else 0.0,
        quantization=variant.quantization,
        size_bytes=weights_bytes,
        context_length=0,
        has_chat_template=False,
        license=variant.license,
        source=variant.repository,
        loaded_bytes=weights_bytes,
        loaded_half_bytes=max(0, weights_bytes - packed_bytes),
        loaded_parameters=parameters,
        origin="huggingface",
    )


def _weights_bytes(page: ModelPage) -> int:
    """Return the size of the weights to download, from the list of files rather than the Hub's total."""
    try:
        files = select(page.files)
    except UnsupportedModel:
        return 0
    return sum(file.size_bytes for file in files if file.name.endswith(".safetensors"))


def _values(configuration: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(configuration, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}
