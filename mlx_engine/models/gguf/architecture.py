"""Maps the metadata and the tensor names of a GGUF file to `config.json` and the tensor names of MLX.

Only architectures that have an exact MLX counterpart are supported. Anything else is refused by name, since leaving it
out would change the model. GGUF names: llama.cpp, gguf-py/gguf/constants.py; MLX names:
mlx_lm/models/{llama,qwen2,qwen3}.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from ctypes import c_float
from dataclasses import dataclass
from typing import Any

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.gguf.header import GGUFHeader, TensorInfo
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.packing import COPIED, PACKINGS
from mlx_engine.models.gguf.rope import rope_scaling

ROPE_FACTORS = "rope_freqs.weight"
IMPORTED = (*PACKINGS, *COPIED)
"""The types that an MLX model stores without loss."""

# GGUF name → MLX name and shape; the dimensions are keys of `_sizes`.
_Tensors = Mapping[str, tuple[str, tuple[str, ...]]]

_outside: _Tensors = {
    "token_embd.weight": ("model.embed_tokens.weight", ("vocabulary", "hidden")),
    "output_norm.weight": ("model.norm.weight", ("hidden",)),
}
_untied: _Tensors = {"output.weight": ("lm_head.weight", ("vocabulary", "hidden"))}
_layer: _Tensors = {
    "attn_norm.weight": ("input_layernorm.weight", ("hidden",)),
    "attn_q.weight": ("self_attn.q_proj.weight", ("queries", "hidden")),
    "attn_k.weight": ("self_attn.k_proj.weight", ("keys", "hidden")),
    "attn_v.weight": ("self_attn.v_proj.weight", ("keys", "hidden")),
    "attn_output.weight": ("self_attn.o_proj.weight", ("hidden", "queries")),
    "ffn_norm.weight": ("post_attention_layernorm.weight", ("hidden",)),
    "ffn_gate.weight": ("mlp.gate_proj.weight", ("feed_forward", "hidden")),
    "ffn_up.weight": ("mlp.up_proj.weight", ("feed_forward", "hidden")),
    "ffn_down.weight": ("mlp.down_proj.weight", ("hidden", "feed_forward")),
}
_projection_biases: _Tensors = {
    "attn_q.bias": ("self_attn.q_proj.bias", ("queries",)),
    "attn_k.bias": ("self_attn.k_proj.bias", ("keys",)),
    "attn_v.bias": ("self_attn.v_proj.bias", ("keys",)),
}
_head_norms: _Tensors = {
    "attn_q_norm.weight": ("self_attn.q_norm.weight", ("head",)),
    "attn_k_norm.weight": ("self_attn.k_norm.weight", ("head",)),
}


@dataclass(frozen=True, slots=True)
class _Architecture:
    class_name: str
    layer: _Tensors
    interleaved: Mapping[str, str]
    """Tensors whose rows llama.cpp has reordered, with the key of `_sizes` for their number of heads."""
    has_head_size: bool = True
    """MLX allows any head size, not only hidden size / heads."""


_architectures = {
    "llama": _Architecture("LlamaForCausalLM", _layer, {"attn_q.weight": "heads", "attn_k.weight": "kv_heads"}),
    "qwen2": _Architecture("Qwen2ForCausalLM", {**_layer, **_projection_biases}, {}, has_head_size=False),
    "qwen3": _Architecture("Qwen3ForCausalLM", {**_layer, **_head_norms}, {}),
}

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
    "tensor_data_layout",
    "vocab_size",
}


@dataclass(frozen=True, slots=True)
class Placement:
    """A tensor of the file and its MLX name. `interleaved_heads` is 0 if the rows stay in order."""

    tensor: TensorInfo
    name: str
    interleaved_heads: int


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The fields of `config.json` and the placement of each tensor for one GGUF file."""

    config: dict[str, Any]
    placements: tuple[Placement, ...]


def plan(header: GGUFHeader, rope_factors: Sequence[float] | None, types: Sequence[str] = IMPORTED) -> ImportPlan:
    """Return the plan for importing the file.

    `rope_factors` are the values of its tensor ROPE_FACTORS, or None if it has none. `types` are the accepted tensor
    types.

    Raises:
        UnsupportedModel: something in the file has no exact counterpart in MLX.
        BrokenModel: something is missing or has the wrong shape.
    """
    metadata = Metadata(header.metadata)
    kind = metadata.text("general.architecture")
    if kind not in _architectures:
        raise UnsupportedModel(f"Facet can't import the architecture {kind!r}. Supported: {', '.join(_architectures)}.")
    _refuse_unsupported(header, metadata, kind, types)
    tensors = {tensor.name: tensor for tensor in header.tensors if tensor.name != ROPE_FACTORS}
    if "token_embd.weight" not in tensors:
        raise BrokenModel("The tensor 'token_embd.weight' is missing from the file.")
    sizes = _sizes(metadata, kind, tensors["token_embd.weight"])
    if not _architectures[kind].has_head_size and sizes["queries"] != sizes["hidden"]:
        raise UnsupportedModel(f"MLX doesn't support {kind} with a head size of {sizes['head']}.")
    if rope_factors is not None and len(rope_factors) != sizes["head"] // 2:
        raise BrokenModel(f"{ROPE_FACTORS!r} has {len(rope_factors)} factors instead of {sizes['head'] // 2}.")
    theta = metadata.number(f"{kind}.rope.freq_base", 10000.0)
    config = {
        "architectures": [_architectures[kind].class_name],
        "model_type": kind,
        "hidden_size": sizes["hidden"],
        "intermediate_size": sizes["feed_forward"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "num_key_value_heads": sizes["kv_heads"],
        "head_dim": sizes["head"],
        "max_position_embeddings": metadata.count(f"{kind}.context_length"),
        "vocab_size": sizes["vocabulary"],
        "hidden_act": "silu",
        "rms_norm_eps": _short(metadata.number(f"{kind}.attention.layer_norm_rms_epsilon")),
        "rope_theta": _short(theta),
        "rope_scaling": rope_scaling(metadata, kind, factors=rope_factors, theta=theta),
        "tie_word_embeddings": "output.weight" not in tensors,
    }
    return ImportPlan(config, tuple(_placements(_architectures[kind], tensors, sizes)))


def _refuse_unsupported(header: GGUFHeader, metadata: Metadata, kind: str, types: Sequence[str]) -> None:
    for key, value in metadata:
        field = key.removeprefix(f"{kind}.")
        if field != key and value and field not in _supported_fields:
            raise UnsupportedModel(f"This file sets {key!r}, which Facet can't import without loss yet.")
    if metadata.count("split.count", 1) != 1:
        raise UnsupportedModel("This model is split into several files. Merge them into one file first.")
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


def _sizes(metadata: Metadata, kind: str, embedding: TensorInfo) -> dict[str, int]:
    hidden = metadata.count(f"{kind}.embedding_length")
    heads = metadata.count(f"{kind}.attention.head_count")
    kv_heads = metadata.count(f"{kind}.attention.head_count_kv", heads)
    head = metadata.count(f"{kind}.attention.key_length", max(hidden // heads, 1))
    for field in ("attention.value_length", "rope.dimension_count"):
        if (size := metadata.count(f"{kind}.{field}", head)) != head:
            raise UnsupportedModel(f"This file sets {kind}.{field} to {size}; Facet needs the head size, {head}.")
    if heads % kv_heads or head % 2:
        raise BrokenModel(f"The file claims {heads} heads of size {head} and {kv_heads} KV heads, which is impossible.")
    return {
        "hidden": hidden,
        "layers": metadata.count(f"{kind}.block_count"),
        "feed_forward": metadata.count(f"{kind}.feed_forward_length"),
        "heads": heads,
        "kv_heads": kv_heads,
        "head": head,
        "queries": heads * head,
        "keys": kv_heads * head,
        "vocabulary": embedding.shape[0],
    }


def _placements(
    architecture: _Architecture, tensors: dict[str, TensorInfo], sizes: dict[str, int]
) -> Iterator[Placement]:
    # The number of layers in the file can be anything; building their names for a huge one would exhaust memory.
    if sizes["layers"] > len(tensors):
        raise BrokenModel(f"The file claims {sizes['layers']} layers but contains only {len(tensors)} tensors.")
    outside = {**_outside, **_untied} if "output.weight" in tensors else _outside
    expected = {name: (target, shape, 0) for name, (target, shape) in outside.items()}
    for layer in range(sizes["layers"]):
        for name, (target, shape) in architecture.layer.items():
            heads = sizes[architecture.interleaved[name]] if name in architecture.interleaved else 0
            expected[f"blk.{layer}.{name}"] = (f"model.layers.{layer}.{target}", shape, heads)
    if unknown := tensors.keys() - expected.keys():
        raise UnsupportedModel(f"This file contains the tensor {min(unknown)!r}, which Facet can't import yet.")
    for name, (target, shape, heads) in expected.items():
        if name not in tensors:
            raise BrokenModel(f"The tensor {name!r} is missing from the file.")
        if tensors[name].shape != tuple(sizes[dimension] for dimension in shape):
            raise BrokenModel(
                f"The tensor {name!r} has the shape {tensors[name].shape}, which contradicts the metadata."
            )
        if len(shape) == 1 and tensors[name].type in PACKINGS:
            raise UnsupportedModel(f"The tensor {name!r} is a quantized vector, which Facet can't import yet.")
        yield Placement(tensors[name], target, heads)


def _short(value: float) -> float:
    """Return the shortest number with the same float32 value: 1e-05, not 9.999999747378752e-06."""
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((short for short in shorter if c_float(short).value == c_float(value).value), value)
