"""What the metadata and the tensor names of a GGUF file mean, for the architectures that map onto an MLX model as they
are: the fields of `config.json`, and for each tensor its MLX name.

Whatever is not known here is refused by name, since leaving it out would change the model. Names: llama.cpp,
gguf-py/gguf/constants.py; MLX names: mlx_lm/models/{llama,qwen2,qwen3}.py.
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
"""The types that an MLX model holds without loss."""

# GGUF name → MLX name and shape, in the words of `_sizes`.
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
    """Tensors whose rows llama.cpp has reordered, with the word for their number of heads."""
    has_head_size: bool = True
    """Whether MLX lets the heads be of any size, not only hidden size / heads."""


_architectures = {
    "llama": _Architecture("LlamaForCausalLM", _layer, {"attn_q.weight": "heads", "attn_k.weight": "kv_heads"}),
    "qwen2": _Architecture("Qwen2ForCausalLM", {**_layer, **_projection_biases}, {}, has_head_size=False),
    "qwen3": _Architecture("Qwen3ForCausalLM", {**_layer, **_head_norms}, {}),
}

_known_fields = {
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
    """A tensor of the file and what it becomes. `interleaved_heads` is 0 where the rows stay in order."""

    tensor: TensorInfo
    name: str
    interleaved_heads: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The model that a file holds: fields of `config.json`, and where its tensors go."""

    config: dict[str, Any]
    placements: tuple[Placement, ...]


def plan(header: GGUFHeader, rope_factors: Sequence[float] | None, types: Sequence[str] = IMPORTED) -> Plan:
    """Return what the file becomes. `rope_factors` are the values of its tensor ROPE_FACTORS, if it has it.

    `types` are those that its tensors may have.

    Raises:
        UnsupportedModel: something in the file has no exact counterpart.
        BrokenModel: something is missing or has the wrong shape.
    """
    metadata = Metadata(header.metadata)
    kind = metadata.text("general.architecture")
    if kind not in _architectures:
        raise UnsupportedModel(
            f"This file holds a model of the architecture {kind!r}. Facet can import {', '.join(_architectures)}."
        )
    _refuse_unknown(header, metadata, kind, types)
    tensors = {tensor.name: tensor for tensor in header.tensors if tensor.name != ROPE_FACTORS}
    if "token_embd.weight" not in tensors:
        raise BrokenModel("The file lacks the tensor 'token_embd.weight'.")
    sizes = _sizes(metadata, kind, tensors["token_embd.weight"])
    if not _architectures[kind].has_head_size and sizes["queries"] != sizes["hidden"]:
        raise UnsupportedModel(f"This file's heads have {sizes['head']} dimensions, which MLX's {kind} cannot have.")
    if rope_factors is not None and len(rope_factors) != sizes["head"] // 2:
        raise BrokenModel(f"The file holds {len(rope_factors)} factors in {ROPE_FACTORS!r}, not {sizes['head'] // 2}.")
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
    return Plan(config, tuple(_placements(_architectures[kind], tensors, sizes)))


def _refuse_unknown(header: GGUFHeader, metadata: Metadata, kind: str, types: Sequence[str]) -> None:
    for key, value in metadata:
        field = key.removeprefix(f"{kind}.")
        if field != key and value and field not in _known_fields:
            raise UnsupportedModel(f"This file sets {key!r}, which Facet cannot import without loss yet.")
    if metadata.count("split.count", 1) != 1:
        raise UnsupportedModel("This file is one of several that make up a model. Merge them into one file first.")
    strange: dict[str, str] = {}
    for tensor in header.tensors:
        if tensor.type not in types:
            strange.setdefault(tensor.type, tensor.name)
    if strange:
        found = " and ".join(f"{type_name} tensors ({name}, …)" for type_name, name in strange.items())
        wanted = "import without loss" if types == IMPORTED else "read"
        raise UnsupportedModel(
            f"This file holds {found}, which Facet cannot {wanted} yet. "
            f"Choose a file of the same model in {', '.join(types)}."
        )


def _sizes(metadata: Metadata, kind: str, embedding: TensorInfo) -> dict[str, int]:
    hidden = metadata.count(f"{kind}.embedding_length")
    heads = metadata.count(f"{kind}.attention.head_count")
    kv_heads = metadata.count(f"{kind}.attention.head_count_kv", heads)
    head = metadata.count(f"{kind}.attention.key_length", max(hidden // heads, 1))
    for other in ("attention.value_length", "rope.dimension_count"):
        if (size := metadata.count(f"{kind}.{other}", head)) != head:
            raise UnsupportedModel(f"This file sets {kind}.{other} to {size} where heads have {head} dimensions.")
    if heads % kv_heads or head % 2:
        raise BrokenModel(f"The file says it has {heads} heads of {head} dimensions for {kv_heads} of keys.")
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
    # So many layers as there are tensors at most: the number in the file may be anything.
    if sizes["layers"] > len(tensors):
        raise BrokenModel(f"The file says it has {sizes['layers']} layers, but holds only {len(tensors)} tensors.")
    outside = {**_outside, **_untied} if "output.weight" in tensors else _outside
    expected = {name: (target, shape, 0) for name, (target, shape) in outside.items()}
    for layer in range(sizes["layers"]):
        for name, (target, shape) in architecture.layer.items():
            heads = sizes[architecture.interleaved[name]] if name in architecture.interleaved else 0
            expected[f"blk.{layer}.{name}"] = (f"model.layers.{layer}.{target}", shape, heads)
    if unknown := tensors.keys() - expected.keys():
        raise UnsupportedModel(f"This file holds the tensor {min(unknown)!r}, which Facet cannot import yet.")
    for name, (target, shape, heads) in expected.items():
        if name not in tensors:
            raise BrokenModel(f"The file lacks the tensor {name!r}.")
        if tensors[name].shape != tuple(sizes[word] for word in shape):
            raise BrokenModel(f"The tensor {name!r} has the shape {tensors[name].shape}, which does not fit the rest.")
        if len(shape) == 1 and tensors[name].type in PACKINGS:
            raise UnsupportedModel(f"The tensor {name!r} is quantized, which Facet cannot import yet.")
        yield Placement(tensors[name], target, heads)


def _short(value: float) -> float:
    """Return the number as people wrote it, before it became a float32: 1e-05, not 9.999999747378752e-06."""
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((short for short in shorter if c_float(short).value == c_float(value).value), value)
