"""Describes a GGUF file from its header, including whether Facet can import it.

The first part of a split model stands for all of them, and all of them are counted.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlx_engine.errors import BrokenModel, FacetError, StorageError
from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description import chat_template
from mlx_engine.models.description.cache_layout import cache_layout
from mlx_engine.models.description.description import ModelDescription, NetworkShape
from mlx_engine.models.files.named_templates import choose
from mlx_engine.models.gguf.architecture import IMPORTED, plan
from mlx_engine.models.gguf.files import read_model
from mlx_engine.models.gguf.header import GGUFHeader, TensorInfo
from mlx_engine.models.gguf.metadata import Metadata, chat_templates
from mlx_engine.models.gguf.packing import READABLE
from mlx_engine.models.gguf.tokenizer import check_tokenizer

# GGUF's fields, below the name of the architecture, and their names in config.json.
_fields = {
    "block_count": "num_hidden_layers",
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.key_length": "head_dim",
    "context_length": "max_position_embeddings",
    "expert_count": "num_experts",
    "expert_used_count": "num_experts_per_tok",
}
# Bytes after the import per byte before: MLX stores a bias with each scale, which these types lack.
_imported = {"Q4_0": 20 / 18, "Q8_0": 36 / 34}
_expert = re.compile(r"_exps\.")


def describe_gguf(path: Path, id: str) -> ModelDescription:
    """Return the description of the file `path` and the other files of the same model.

    Raises:
        ModelError: a file is damaged, missing or of an unsupported kind.
        StorageError: a file cannot be read.
    """
    model = read_model(path)
    files, header = model.files, model.header
    metadata = Metadata(header.metadata)
    kind = metadata.text("general.architecture")
    tensors = header.tensors
    parameters = sum(tensor.elements for tensor in tensors)
    if not parameters:
        raise BrokenModel(f"{path.name} contains no weights.")
    config = Configuration(_config(header, kind, tensors))
    weight_bytes = sum(tensor.size_bytes for tensor in tensors)
    traits = chat_template.traits(choose(chat_templates(header.metadata)))
    reason = _why_not_readable(header, metadata, types=IMPORTED)
    can_be_converted = not _why_not_readable(header, metadata, types=READABLE)
    return ModelDescription(
        id=id,
        path=path,
        name=id.rpartition("/")[2],
        architecture=kind,
        parameters=parameters,
        bits_per_weight=8 * weight_bytes / parameters,
        quantization=_format_types(tensors),
        size_bytes=_size(files),
        context_length=config.integer("max_position_embeddings"),
        has_chat_template=traits.exists,
        license=metadata.text("general.license", ""),
        source=metadata.text("general.source.repo_url", metadata.text("general.source.url", "")),
        format="gguf",
        obstacle=_obstacle(reason, can_be_converted=can_be_converted),
        can_be_imported=not reason,
        can_be_converted=can_be_converted,
        active_parameters=_active_parameters(tensors, config),
        bits=tuple(sorted({round(8 * tensor.size_bytes / tensor.elements) for tensor in _matrices(tensors)})),
        has_thinking=traits.has_thinking,
        has_tools=traits.has_tools,
        vision="present" if any(tensor.name.startswith("v.") for tensor in tensors) else "none",
        cache=cache_layout(config, {}, module=kind, has_windows=False),
        shape=_shape(config),
        loaded_bytes=round(sum(tensor.size_bytes * _imported.get(tensor.type, 1) for tensor in tensors)),
        loaded_half_bytes=sum(tensor.size_bytes for tensor in tensors if tensor.type in ("F16", "BF16")),
        loaded_parameters=parameters,
    )


def _size(files: Sequence[Path]) -> int:
    try:
        return sum(file.stat().st_size for file in files)
    except OSError as error:
        raise StorageError(f"Couldn't read {files[0].parent}: {error.strerror}.") from error


def _obstacle(reason: str, *, can_be_converted: bool) -> str:
    if not reason:
        return "Import this GGUF file to chat with it."
    return f"{reason} Or quantize it, which converts its weights through floats." if can_be_converted else reason


def _why_not_readable(header: GGUFHeader, metadata: Metadata, *, types: Sequence[str]) -> str:
    """Return the reason, as a sentence, why the file is unsupported, judging by its header; "" if it is supported.

    `types` are the supported tensor types.
    """
    try:
        plan(header, factors=None, types=types)
        check_tokenizer(metadata)
    except FacetError as error:
        return error.message
    return ""


def _config(header: GGUFHeader, kind: str, tensors: Sequence[TensorInfo]) -> dict[str, Any]:
    """Return the fields under their names in config.json. If layers differ, the largest value counts for all."""
    config: dict[str, Any] = {}
    for field, name in _fields.items():
        value = header.metadata.get(f"{kind}.{field}")
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = max((item for item in value if isinstance(item, int)), default=0)
        config[name] = value
    embedding = next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None)
    return {**config, "vocab_size": embedding.shape[0] if embedding else 0}


def _shape(config: Configuration) -> NetworkShape:
    hidden, heads = config.integer("hidden_size"), config.integer("num_attention_heads")
    return NetworkShape(
        hidden=hidden,
        feed_forward=config.integer("intermediate_size"),
        heads=heads,
        head=config.integer("head_dim") or (hidden // heads if heads else 0),
        vocabulary=config.integer("vocab_size"),
    )


def _format_types(tensors: Sequence[TensorInfo]) -> str:
    """Return the types of the matrices, the most common first, as "Q4_K/Q6_K"."""
    weights: Counter[str] = Counter()
    for tensor in _matrices(tensors) or tensors:
        weights[tensor.type] += tensor.elements
    return "/".join(name for name, _ in weights.most_common())


def _active_parameters(tensors: Sequence[TensorInfo], config: Configuration) -> int:
    total = sum(tensor.elements for tensor in tensors)
    experts, active = config.integer("num_experts"), config.integer("num_experts_per_tok")
    if not 0 < active < experts:
        return total
    in_experts = sum(tensor.elements for tensor in tensors if _expert.search(tensor.name))
    return total - in_experts * (experts - active) // experts


def _matrices(tensors: Sequence[TensorInfo]) -> list[TensorInfo]:
    return [tensor for tensor in tensors if len(tensor.shape) > 1]
