"""Maps the metadata and the tensor names of a GGUF file to `config.json` and the tensor names of MLX.

Only the architectures of `architectures` are supported. Anything else is refused by name, since leaving it out would
change the model.
"""

from collections.abc import Iterator, Mapping, Sequence
from ctypes import c_float
from dataclasses import dataclass
from typing import Any

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.gguf.architectures import (
    ARCHITECTURES,
    EMBEDDING,
    LLAMA_MIXTURE,
    PREDICTING_LAYERS,
    UNTIED,
    Architecture,
)
from mlx_engine.models.gguf.header import GGUFHeader, TensorInfo
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.packing import COPIED, PACKINGS
from mlx_engine.models.gguf.rope import long_rope_scaling, rope_scaling

ROPE_FACTORS = "rope_freqs.weight"
LONG_FACTORS = ("rope_factors_short.weight", "rope_factors_long.weight")
FACTORS = (ROPE_FACTORS, *LONG_FACTORS)
"""Tensors of factors for positions, which become part of the configuration."""
IMPORTED = (*PACKINGS, *COPIED)
"""The types that an MLX model stores without loss."""

_supported_fields = {
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.factor",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "tensor_data_layout",
    "vocab_size",
}

_neutral: Mapping[str, object] = {
    "attention.causal": True,
    "embedding_scale": 1.0,
    "expert_group_count": 1,
    "expert_group_used_count": 1,
    "interleave_moe_layer_step": 1,
    "logit_scale": 1.0,
    "residual_scale": 1.0,
    "rope.scale_linear": 1.0,
    "rope.scaling.attn_factor": 1.0,
    "rope.scaling.yarn_ext_factor": 1.0,
}
"""Values with which a field changes nothing. Of the other fields, false, 0 and empty values do not."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A tensor of the file and its MLX name.

    `shape` is that in MLX, `interleaved_heads` is 0 if the rows stay in order, and `offset` is subtracted.
    """

    tensor: TensorInfo
    name: str
    shape: tuple[int, ...]
    interleaved_heads: int = 0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The fields of `config.json` and the placement of each tensor for one GGUF file."""

    config: dict[str, Any]
    placements: tuple[Placement, ...]


def plan(
    header: GGUFHeader, factors: Mapping[str, Sequence[float]] | None, types: Sequence[str] = IMPORTED
) -> ImportPlan:
    """Return the plan for importing the file.

    `factors` are the values of its tensors of FACTORS, by name; None if they are not read. `types` are the accepted
    tensor types.

    Raises:
        UnsupportedModel: something in the file has no exact counterpart in MLX.
        BrokenModel: something is missing or has the wrong shape.
    """
    metadata = Metadata(header.metadata)
    kind = metadata.text("general.architecture")
    if kind not in ARCHITECTURES:
        raise UnsupportedModel(f"Facet can't import the architecture {kind!r}. Supported: {', '.join(ARCHITECTURES)}.")
    is_mixture = kind == "llama" and bool(header.metadata.get("llama.expert_count"))
    architecture = LLAMA_MIXTURE if is_mixture else ARCHITECTURES[kind]
    _refuse_unsupported(header, metadata, kind, architecture, types)
    tensors = {tensor.name: tensor for tensor in header.tensors if tensor.name not in FACTORS}
    if EMBEDDING not in tensors:
        raise BrokenModel(f"The tensor {EMBEDDING!r} is missing from the file.")
    sizes = _sizes(metadata, kind, architecture, tensors)
    if not architecture.has_head_size and sizes["queries"] != sizes["hidden"]:
        raise UnsupportedModel(f"MLX doesn't support {kind} with a head size of {sizes['head']}.")
    theta = metadata.number(f"{kind}.rope.freq_base", 10000.0)
    config = {
        "architectures": [architecture.class_name],
        "model_type": architecture.model_type,
        "hidden_size": sizes["hidden"],
        "intermediate_size": sizes["feed_forward"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "num_key_value_heads": sizes["kv_heads"],
        "head_dim": sizes["head"],
        "max_position_embeddings": metadata.count(f"{kind}.context_length"),
        "vocab_size": sizes["vocabulary"],
        "hidden_act": "silu",
        architecture.epsilon: _short(metadata.number(f"{kind}.{_epsilon_key(architecture)}")),
        "rope_theta": _short(theta),
        "rope_scaling": _rope_scaling(metadata, kind, header, factors, sizes, theta),
        "tie_word_embeddings": "output.weight" not in tensors,
        **{name: _shortened(value) for name, value in architecture.fields(metadata, kind, sizes).items()},
    }
    return ImportPlan(config, tuple(_placements(architecture, tensors, sizes)))


def _rope_scaling(
    metadata: Metadata,
    kind: str,
    header: GGUFHeader,
    factors: Mapping[str, Sequence[float]] | None,
    sizes: Mapping[str, int],
    theta: float,
) -> dict[str, Any] | None:
    count = sizes["rotated"] // 2
    for name, values in (factors or {}).items():
        if len(values) != count:
            raise BrokenModel(f"{name!r} has {len(values)} factors instead of {count}.")
    if any(tensor.name in LONG_FACTORS for tensor in header.tensors):
        return long_rope_scaling(metadata, kind, [(factors or {}).get(name, [1.0] * count) for name in LONG_FACTORS])
    return rope_scaling(metadata, kind, factors=(factors or {}).get(ROPE_FACTORS), theta=theta)


def _epsilon_key(architecture: Architecture) -> str:
    kind = "layer_norm_rms_epsilon" if architecture.epsilon == "rms_norm_eps" else "layer_norm_epsilon"
    return f"attention.{kind}"


def _shortened(value: Any) -> Any:
    return _short(value) if isinstance(value, float) else value


def _refuse_unsupported(
    header: GGUFHeader, metadata: Metadata, kind: str, architecture: Architecture, types: Sequence[str]
) -> None:
    supported = _supported_fields | architecture.supported | {_epsilon_key(architecture)}
    for key, value in metadata:
        field = key.removeprefix(f"{kind}.")
        if field != key and field not in supported and not _is_neutral(field, value):
            raise UnsupportedModel(f"This file sets {key!r}, which Facet can't import without loss yet.")
    if not architecture.has_long_rope and any(tensor.name in LONG_FACTORS for tensor in header.tensors):
        raise UnsupportedModel(
            f"This file has RoPE factors for long contexts, which Facet can't import for {kind} yet."
        )
    examples: dict[str, str] = {}
    for tensor in header.tensors:
        if tensor.type not in types:
            examples.setdefault(tensor.type, tensor.name)
    if examples:
        unsupported = " and ".join(f"{type_name} tensors ({name}, …)" for type_name, name in examples.items())
        verb = "import without loss" if types == IMPORTED else "read"
        raise UnsupportedModel(
            f"This file contains {unsupported}, which Facet can't {verb} yet. "
            f"Choose a file of the same model in {', '.join(types)}."
        )


def _is_neutral(field: str, value: object) -> bool:
    neutral = _neutral.get(field)
    return value == neutral or (not value and neutral is not True)


def _sizes(
    metadata: Metadata, kind: str, architecture: Architecture, tensors: Mapping[str, TensorInfo]
) -> dict[str, int]:
    hidden = metadata.count(f"{kind}.embedding_length")
    heads = metadata.count(f"{kind}.attention.head_count")
    kv_heads = metadata.count(f"{kind}.attention.head_count_kv", heads)
    head = metadata.count(f"{kind}.attention.key_length", max(hidden // heads, 1))
    rotated = metadata.count(f"{kind}.rope.dimension_count", head)
    if (size := metadata.count(f"{kind}.attention.value_length", head)) != head:
        raise UnsupportedModel(f"This file sets {kind}.attention.value_length to {size}; Facet needs {head}.")
    if rotated != head and not (architecture.has_partial_rotation and rotated < head and rotated % 2 == 0):
        raise UnsupportedModel(f"This file sets {kind}.rope.dimension_count to {rotated}; Facet needs {head}.")
    if heads % kv_heads or head % 2:
        raise BrokenModel(f"The file claims {heads} heads of size {head} and {kv_heads} KV heads, which is impossible.")
    feed_forward = _optional(metadata, f"{kind}.feed_forward_length")
    expert_feed_forward = _optional(metadata, f"{kind}.expert_feed_forward_length") or feed_forward
    blocks = metadata.count(f"{kind}.block_count")
    predicting = _optional(metadata, f"{kind}.{PREDICTING_LAYERS}")
    if predicting >= blocks:
        raise BrokenModel(f"The file claims that {predicting} of its {blocks} layers only predict further tokens.")
    return {
        "one": 1,
        "has_head_norms": int("blk.0.attn_q_norm.weight" in tensors),
        "has_bias": int("blk.0.attn_q.bias" in tensors),
        "experts": _optional(metadata, f"{kind}.expert_count"),
        "expert_feed_forward": expert_feed_forward,
        "shared_feed_forward": _optional(metadata, f"{kind}.expert_shared_feed_forward_length")
        or _optional(metadata, f"{kind}.expert_shared_count") * expert_feed_forward,
        "dense_layers": _optional(metadata, f"{kind}.leading_dense_block_count"),
        "rotated": rotated,
        "queries_keys_values": (heads + 2 * kv_heads) * head,
        "twice_feed_forward": 2 * feed_forward,
        "hidden": hidden,
        "layers": blocks - predicting,
        "predicting": predicting,
        "feed_forward": feed_forward,
        "heads": heads,
        "kv_heads": kv_heads,
        "head": head,
        "queries": heads * head,
        "keys": kv_heads * head,
        "vocabulary": tensors[EMBEDDING].shape[0],
    }


def _optional(metadata: Metadata, key: str) -> int:
    """Return the count, or 0 if it is missing or 0."""
    return metadata.count(key) if dict(metadata).get(key) else 0


def _placements(
    architecture: Architecture, tensors: dict[str, TensorInfo], sizes: dict[str, int]
) -> Iterator[Placement]:
    # The number of layers in the file can be anything; building their names for a huge one would exhaust memory.
    if sizes["layers"] > len(tensors):
        raise BrokenModel(f"The file claims {sizes['layers']} layers but contains only {len(tensors)} tensors.")
    outside = {**architecture.outside, **(UNTIED if "output.weight" in tensors else {})}
    optional = {name: value for name, value in architecture.optional.items() if f"blk.0.{name}" in tensors}
    expected = {name: (target, shape, 0) for name, (target, shape) in outside.items()}
    interleaved = dict(architecture.interleaved)
    for layer in range(sizes["layers"]):
        tensors_of_layer = architecture.dense_layer if layer < sizes["dense_layers"] else architecture.layer
        for name, (target, shape) in {**tensors_of_layer, **optional}.items():
            heads = sizes[interleaved[name]] if name in interleaved else 0
            expected[f"blk.{layer}.{name}"] = (f"model.layers.{layer}.{target}", shape, heads)
    if unknown := {name for name in tensors.keys() - expected.keys() if not _is_predicting(name, sizes)}:
        raise UnsupportedModel(f"This file contains the tensor {min(unknown)!r}, which Facet can't import yet.")
    for name, (target, shape, heads) in expected.items():
        if name not in tensors:
            raise BrokenModel(f"The tensor {name!r} is missing from the file.")
        target_shape = tuple(sizes[dimension] for dimension in shape)
        if not _matches(tensors[name].shape, target_shape):
            raise BrokenModel(
                f"The tensor {name!r} has the shape {tensors[name].shape}, which contradicts the metadata."
            )
        if len(shape) == 1 and tensors[name].type in PACKINGS:
            raise UnsupportedModel(f"The tensor {name!r} is a quantized vector, which Facet can't import yet.")
        offset = architecture.norm_offset if name.endswith("norm.weight") else 0.0
        yield Placement(tensors[name], target, target_shape, heads, offset)


def _is_predicting(name: str, sizes: Mapping[str, int]) -> bool:
    """Return whether the tensor belongs to a layer that only predicts further tokens."""
    block, _, rest = name.partition(".")
    layer = rest.partition(".")[0]
    return block == "blk" and layer.isdecimal() and 0 <= int(layer) - sizes["layers"] < sizes["predicting"]


def _matches(stored: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Return whether the shapes are the same; GGUF drops leading dimensions of 1."""
    return stored == expected or (stored == expected[1:] and expected[0] == 1)


def _short(value: float) -> float:
    """Return the shortest number with the same float32 value: 1e-05, not 9.999999747378752e-06."""
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((short for short in shorter if c_float(short).value == c_float(value).value), value)
