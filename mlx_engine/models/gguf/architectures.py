"""The architectures that Facet imports from GGUF files: the names of their tensors, and what llama.cpp changed in them.

Sources: llama.cpp, gguf-py/gguf/{constants,tensor_mapping}.py (names) and convert_hf_to_gguf.py (changes); the networks
in mlx_lm/models.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlx_engine.errors import UnsupportedModel
from mlx_engine.models.gguf.metadata import Metadata
from mlx_engine.models.gguf.rope import rope_scaling

Tensors = Mapping[str, tuple[str, tuple[str, ...]]]
"""GGUF name → MLX name and shape; the dimensions are keys of the sizes of a file."""
Sizes = Mapping[str, int]

PREDICTING_LAYERS = "nextn_predict_layers"
"""Field for the number of last layers that only predict further tokens; networks in MLX have none."""
EMBEDDING = "token_embd.weight"
OUTSIDE: Tensors = {
    EMBEDDING: ("model.embed_tokens.weight", ("vocabulary", "hidden")),
    "output_norm.weight": ("model.norm.weight", ("hidden",)),
}
UNTIED: Tensors = {"output.weight": ("lm_head.weight", ("vocabulary", "hidden"))}

_norms: Tensors = {
    "attn_norm.weight": ("input_layernorm.weight", ("hidden",)),
    "ffn_norm.weight": ("post_attention_layernorm.weight", ("hidden",)),
}
_attention: Tensors = {
    "attn_q.weight": ("self_attn.q_proj.weight", ("queries", "hidden")),
    "attn_k.weight": ("self_attn.k_proj.weight", ("keys", "hidden")),
    "attn_v.weight": ("self_attn.v_proj.weight", ("keys", "hidden")),
    "attn_output.weight": ("self_attn.o_proj.weight", ("hidden", "queries")),
}
_feed_forward: Tensors = {
    "ffn_gate.weight": ("mlp.gate_proj.weight", ("feed_forward", "hidden")),
    "ffn_up.weight": ("mlp.up_proj.weight", ("feed_forward", "hidden")),
    "ffn_down.weight": ("mlp.down_proj.weight", ("hidden", "feed_forward")),
}
_experts: Tensors = {
    "ffn_gate_inp.weight": ("mlp.gate.weight", ("experts", "hidden")),
    "ffn_gate_exps.weight": ("mlp.switch_mlp.gate_proj.weight", ("experts", "expert_feed_forward", "hidden")),
    "ffn_up_exps.weight": ("mlp.switch_mlp.up_proj.weight", ("experts", "expert_feed_forward", "hidden")),
    "ffn_down_exps.weight": ("mlp.switch_mlp.down_proj.weight", ("experts", "hidden", "expert_feed_forward")),
}
_post_norms: Tensors = {
    "attn_norm.weight": _norms["attn_norm.weight"],
    "post_attention_norm.weight": _norms["ffn_norm.weight"],
}
_layer_norms: Tensors = {
    **_norms,
    "attn_norm.bias": ("input_layernorm.bias", ("hidden",)),
    "ffn_norm.bias": ("post_attention_layernorm.bias", ("hidden",)),
}
_outside_layer_norms: Tensors = {**OUTSIDE, "output_norm.bias": ("model.norm.bias", ("hidden",))}
_block_sparse_experts: Tensors = {
    name: (target.replace("mlp.", "block_sparse_moe.", 1), shape) for name, (target, shape) in _experts.items()
}
_shared_expert: Tensors = {
    "ffn_gate_inp_shexp.weight": ("mlp.shared_expert_gate.weight", ("one", "hidden")),
    "ffn_gate_shexp.weight": ("mlp.shared_expert.gate_proj.weight", ("shared_feed_forward", "hidden")),
    "ffn_up_shexp.weight": ("mlp.shared_expert.up_proj.weight", ("shared_feed_forward", "hidden")),
    "ffn_down_shexp.weight": ("mlp.shared_expert.down_proj.weight", ("hidden", "shared_feed_forward")),
}
_layer: Tensors = {**_norms, **_attention, **_feed_forward}
_projection_biases: Tensors = {
    "attn_q.bias": ("self_attn.q_proj.bias", ("queries",)),
    "attn_k.bias": ("self_attn.k_proj.bias", ("keys",)),
    "attn_v.bias": ("self_attn.v_proj.bias", ("keys",)),
}
_head_norms: Tensors = {
    "attn_q_norm.weight": ("self_attn.q_norm.weight", ("head",)),
    "attn_k_norm.weight": ("self_attn.k_norm.weight", ("head",)),
}
_four_norms: Tensors = {
    "attn_norm.weight": ("input_layernorm.weight", ("hidden",)),
    "post_attention_norm.weight": ("post_attention_layernorm.weight", ("hidden",)),
    "ffn_norm.weight": ("pre_feedforward_layernorm.weight", ("hidden",)),
    "post_ffw_norm.weight": ("post_feedforward_layernorm.weight", ("hidden",)),
}
_wide_norms: Tensors = {
    "attn_q_norm.weight": ("self_attn.q_norm.weight", ("queries",)),
    "attn_k_norm.weight": ("self_attn.k_norm.weight", ("keys",)),
}
_outer_norms: Tensors = {
    **_wide_norms,
    "post_attention_norm.weight": ("post_attention_layernorm.weight", ("hidden",)),
    "post_ffw_norm.weight": ("post_feedforward_layernorm.weight", ("hidden",)),
}
_gate_up: Tensors = {
    "ffn_up.weight": ("mlp.gate_up_proj.weight", ("twice_feed_forward", "hidden")),
    "ffn_down.weight": ("mlp.down_proj.weight", ("hidden", "feed_forward")),
}
_fused: Tensors = {
    "attn_qkv.weight": ("self_attn.qkv_proj.weight", ("queries_keys_values", "hidden")),
    "attn_output.weight": ("self_attn.o_proj.weight", ("hidden", "queries")),
    **_gate_up,
}
_routed_experts: Tensors = {
    **_experts,
    "exp_probs_b.bias": ("mlp.gate.e_score_correction_bias", ("experts",)),
    **{
        name: (target.replace("shared_expert", "shared_experts"), shape)
        for name, (target, shape) in _shared_expert.items()
        if name != "ffn_gate_inp_shexp.weight"
    },
}
_dots1_experts: Tensors = {
    name: (target.replace("switch_mlp", "experts"), shape) for name, (target, shape) in _routed_experts.items()
}
_gpt_oss: Tensors = {
    **_post_norms,
    **_attention,
    **_projection_biases,
    "attn_output.bias": ("self_attn.o_proj.bias", ("hidden",)),
    "attn_sinks.weight": ("self_attn.sinks", ("heads",)),
    **{name: (target.replace("switch_mlp", "experts"), shape) for name, (target, shape) in _experts.items()},
    "ffn_gate_inp.weight": ("mlp.router.weight", ("experts", "hidden")),
    "ffn_gate_inp.bias": ("mlp.router.bias", ("experts",)),
    "ffn_gate_exps.bias": ("mlp.experts.gate_proj.bias", ("experts", "expert_feed_forward")),
    "ffn_up_exps.bias": ("mlp.experts.up_proj.bias", ("experts", "expert_feed_forward")),
    "ffn_down_exps.bias": ("mlp.experts.down_proj.bias", ("experts", "hidden")),
}
_starcoder2: Tensors = {
    **_layer_norms,
    **_attention,
    **_projection_biases,
    "attn_output.bias": ("self_attn.o_proj.bias", ("hidden",)),
    "ffn_up.weight": ("mlp.c_fc.weight", ("feed_forward", "hidden")),
    "ffn_up.bias": ("mlp.c_fc.bias", ("feed_forward",)),
    "ffn_down.weight": ("mlp.c_proj.weight", ("hidden", "feed_forward")),
    "ffn_down.bias": ("mlp.c_proj.bias", ("hidden",)),
}
_phi2: Tensors = {
    "attn_norm.weight": ("input_layernorm.weight", ("hidden",)),
    "attn_norm.bias": ("input_layernorm.bias", ("hidden",)),
    **_attention,
    **_projection_biases,
    "attn_output.weight": ("self_attn.dense.weight", ("hidden", "queries")),
    "attn_output.bias": ("self_attn.dense.bias", ("hidden",)),
    "ffn_up.weight": ("mlp.fc1.weight", ("feed_forward", "hidden")),
    "ffn_up.bias": ("mlp.fc1.bias", ("feed_forward",)),
    "ffn_down.weight": ("mlp.fc2.weight", ("hidden", "feed_forward")),
    "ffn_down.bias": ("mlp.fc2.bias", ("hidden",)),
}
_outside_phi2: Tensors = {
    EMBEDDING: OUTSIDE[EMBEDDING],
    "output_norm.weight": ("model.final_layernorm.weight", ("hidden",)),
    "output_norm.bias": ("model.final_layernorm.bias", ("hidden",)),
    "output.bias": ("lm_head.bias", ("vocabulary",)),
}
_interleaved = (("attn_q.weight", "heads"), ("attn_k.weight", "kv_heads"))

Fields = Callable[[Metadata, str, Sizes], Mapping[str, Any]]
"""Derives further fields of config.json from the metadata, the name of the architecture and the sizes."""


def _no_fields(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {}


@dataclass(frozen=True, slots=True)
class Architecture:
    """An architecture that has an exact counterpart in MLX."""

    model_type: str
    class_name: str
    layer: Tensors
    """Tensors of each layer."""
    interleaved: tuple[tuple[str, str], ...] = ()
    """Tensors whose rows llama.cpp has reordered, with the key of the sizes for their number of heads."""
    norm_offset: float = 0.0
    """llama.cpp has added this to the weights of all norms."""
    has_head_size: bool = True
    """MLX allows any head size, not only hidden size / heads."""
    has_partial_rotation: bool = False
    has_long_rope: bool = False
    """MLX scales positions by factors for short and long contexts."""
    epsilon: str = "rms_norm_eps"
    """Field of config.json for the constant of all norms; any other name is that of LayerNorm."""
    outside: Tensors = field(default_factory=lambda: OUTSIDE)
    """Tensors outside the layers, without the output matrix."""
    optional: Tensors = field(default_factory=dict)
    """Tensors that either each layer has or none."""
    dense_layer: Tensors = field(default_factory=dict)
    """Tensors of the leading layers without experts, if the file has such layers."""
    fields: Fields = _no_fields
    supported: frozenset[str] = frozenset()
    """Fields of the metadata that `fields` reads."""


def _gemma(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {"hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh"}


def _gemma2(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        **_gemma(metadata, kind, sizes),
        **_query_scale(sizes, layers_of_27b=46),
        "sliding_window": metadata.count(f"{kind}.attention.sliding_window", 4096),
        "attn_logit_softcapping": metadata.number(f"{kind}.attn_logit_softcapping", 50.0),
        "final_logit_softcapping": metadata.number(f"{kind}.final_logit_softcapping", 30.0),
    }


def _gemma3(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        **_gemma(metadata, kind, sizes),
        **_query_scale(sizes, layers_of_27b=62),
        "sliding_window": metadata.count(f"{kind}.attention.sliding_window", 1024),
        "sliding_window_pattern": 6,
        "rope_local_base_freq": metadata.number(f"{kind}.rope.freq_base_swa", 10_000.0),
    }


def _query_scale(sizes: Sizes, *, layers_of_27b: int) -> Mapping[str, Any]:
    """Return the scale of attention, which llama.cpp takes from the number of layers, as the file has none."""
    is_27b = sizes["layers"] == layers_of_27b
    return {"query_pre_attn_scalar": sizes["hidden"] // sizes["heads"] if is_27b else sizes["head"]}


def _phi3(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    context = metadata.count(f"{kind}.context_length")
    window = f"{kind}.attention.sliding_window"
    return {
        "original_max_position_embeddings": metadata.count(f"{kind}.rope.scaling.original_context_length", context),
        "partial_rotary_factor": sizes["rotated"] / sizes["head"],
        "sliding_window": metadata.count(window) if window in metadata else None,
    }


def _mixture(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        "num_experts": sizes["experts"],
        "num_experts_per_tok": metadata.count(f"{kind}.expert_used_count"),
        "moe_intermediate_size": sizes["expert_feed_forward"],
        "shared_expert_intermediate_size": sizes["shared_feed_forward"],
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        # llama.cpp has this built in for each architecture.
        "norm_topk_prob": kind != "qwen2moe",
    }


def _granite(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        "attention_multiplier": metadata.number(f"{kind}.attention.scale", sizes["head"] ** -0.5),
        "embedding_multiplier": metadata.number(f"{kind}.embedding_scale", 1.0),
        "residual_multiplier": metadata.number(f"{kind}.residual_scale", 1.0),
        "logits_scaling": metadata.number(f"{kind}.logit_scale", 1.0),
        "attention_bias": False,
        "mlp_bias": False,
    }


def _biased(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {"attention_bias": bool(sizes["has_bias"]), "attention_out_bias": False, "mlp_bias": False}


def _glm4(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {
        "attention_bias": bool(sizes["has_bias"]),
        "partial_rotary_factor": sizes["rotated"] / sizes["head"],
    }


def _ernie(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {"use_bias": False}


def _ernie_mixture(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        **_ernie(metadata, kind, sizes),
        "moe_intermediate_size": sizes["expert_feed_forward"],
        "moe_k": metadata.count(f"{kind}.expert_used_count"),
        "moe_layer_end_index": sizes["layers"] - 1,
        "moe_layer_interval": 1,
        "moe_layer_start_index": sizes["dense_layers"],
        "moe_num_experts": sizes["experts"],
        "moe_num_shared_experts": metadata.count(f"{kind}.expert_shared_count"),
    }


def _exaone4(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    key = f"{kind}.attention.sliding_window"
    if key not in metadata:
        return {"sliding_window": None, "sliding_window_pattern": None}
    pattern = f"{key}_pattern"
    # Without a pattern, llama.cpp leaves out the window in every fourth layer.
    windowed = metadata.integers(pattern) if pattern in metadata else [(i + 1) % 4 for i in range(sizes["layers"])]
    return {
        "sliding_window": metadata.count(key),
        "sliding_window_pattern": "".join("L" if has_window else "G" for has_window in windowed),
        "layer_types": ["sliding_attention" if has_window else "full_attention" for has_window in windowed],
    }


def _hunyuan(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    # llama.cpp's converter has applied alpha to the base of the rotation.
    return {"attention_bias": False, "use_qk_norm": True, "rope_scaling": None}


def _gelu(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {"hidden_act": "gelu_pytorch_tanh", "use_bias": True}


def _cohere(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {
        "attention_bias": False,
        "logit_scale": metadata.number(f"{kind}.logit_scale"),
        "use_qk_norm": False,
    }


def _cohere2(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {
        "attention_bias": False,
        "logit_scale": metadata.number(f"{kind}.logit_scale"),
        "sliding_window": metadata.count(f"{kind}.attention.sliding_window"),
        "sliding_window_pattern": 4,
    }


def _nemotron(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {"hidden_act": "relu2", "partial_rotary_factor": sizes["rotated"] / sizes["head"]}


def _stablelm(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {
        "partial_rotary_factor": sizes["rotated"] / sizes["head"],
        "use_qkv_bias": bool(sizes["has_bias"]),
        "use_parallel_residual": False,
        "qk_layernorm": False,
    }


def _phi(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:  # noqa: ARG001 - a `Fields`
    return {"hidden_act": "gelu_new", "partial_rotary_factor": sizes["rotated"] / sizes["head"]}


def _olmoe(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        "num_experts": sizes["experts"],
        "num_experts_per_tok": metadata.count(f"{kind}.expert_used_count"),
        "norm_topk_prob": False,
    }


def _mixtral(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        "num_local_experts": sizes["experts"],
        "num_experts_per_tok": metadata.count(f"{kind}.expert_used_count"),
    }


def _routed(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    if metadata.count(f"{kind}.expert_gating_func", _sigmoid) != _sigmoid:
        raise UnsupportedModel(f"MLX supports {kind} only with experts that are chosen by sigmoids.")
    return {
        "first_k_dense_replace": sizes["dense_layers"],
        "moe_intermediate_size": sizes["expert_feed_forward"],
        "n_routed_experts": sizes["experts"],
        "n_shared_experts": metadata.count(f"{kind}.expert_shared_count"),
        "num_experts_per_tok": metadata.count(f"{kind}.expert_used_count"),
        "norm_topk_prob": bool(dict(metadata).get(f"{kind}.expert_weights_norm")),
        "routed_scaling_factor": metadata.number(f"{kind}.expert_weights_scale"),
    }


def _dots1(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {**_routed(metadata, kind, sizes), "scoring_func": "noaux_tc", "sliding_window": None}


def _glm4_mixture(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {
        **_routed(metadata, kind, sizes),
        **_glm4(metadata, kind, sizes),
        "n_group": 1,
        "topk_group": 1,
        "use_qk_norm": bool(sizes["has_head_norms"]),
    }


def _gpt_oss_fields(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    # llama.cpp has the pattern of the windows built in. Its YaRN always rounds; the models were trained without.
    scaling = rope_scaling(metadata, kind, factors=None, theta=0.0)
    return {
        **_mixtral(metadata, kind, sizes),
        "intermediate_size": sizes["expert_feed_forward"],
        "sliding_window": metadata.count(f"{kind}.attention.sliding_window"),
        "layer_types": ["full_attention" if i % 2 else "sliding_attention" for i in range(sizes["layers"])],
        "rope_scaling": scaling and {**scaling, "truncate": False},
    }


def _granite_mixture(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    return {**_granite(metadata, kind, sizes), **_mixtral(metadata, kind, sizes)}


def _minicpm(metadata: Metadata, kind: str, sizes: Sizes) -> Mapping[str, Any]:
    # The converter of older files left out the scales, which llama.cpp then replaces by those of one model.
    for name in ("embedding_scale", "residual_scale", "logit_scale"):
        metadata.number(f"{kind}.{name}")
    return _granite(metadata, kind, sizes)


_window = frozenset({"attention.sliding_window", "attention.sliding_window_pattern", "rope.freq_base_swa"})
_scales = frozenset({"attention.scale", "embedding_scale", "residual_scale", "logit_scale"})
_soft_caps = frozenset({"attn_logit_softcapping", "final_logit_softcapping"})
_expert_fields = frozenset(
    {"expert_count", "expert_used_count", "expert_feed_forward_length", "expert_shared_feed_forward_length"}
)

_router_fields = frozenset(
    {
        "expert_gating_func",
        "expert_shared_count",
        "expert_weights_norm",
        "expert_weights_scale",
        "leading_dense_block_count",
    }
)
_sigmoid = 2
"""llama.cpp's number of this gating function of experts."""

_image_positions = frozenset({"n_deepstack_layers", "rope.dimension_sections"})
"""Fields that matter only to images. In text, all sections of a position are the same."""

_qwen2 = Architecture("qwen2", "Qwen2ForCausalLM", {**_layer, **_projection_biases}, has_head_size=False)
_qwen3 = Architecture("qwen3", "Qwen3ForCausalLM", {**_layer, **_head_norms})
_qwen3_mixture = Architecture(
    "qwen3_moe",
    "Qwen3MoeForCausalLM",
    {**_norms, **_attention, **_head_norms, **_experts},
    fields=_mixture,
    supported=_expert_fields,
)

ARCHITECTURES: Mapping[str, Architecture] = {
    "cohere2": Architecture(
        "cohere2",
        "Cohere2ForCausalLM",
        {"attn_norm.weight": _norms["attn_norm.weight"], **_attention, **_feed_forward},
        epsilon="layer_norm_eps",
        fields=_cohere2,
        supported=_window | {"logit_scale"},
    ),
    "command-r": Architecture(
        "cohere",
        "CohereForCausalLM",
        {"attn_norm.weight": _norms["attn_norm.weight"], **_attention, **_feed_forward},
        has_head_size=False,
        epsilon="layer_norm_eps",
        fields=_cohere,
        supported=frozenset({"logit_scale"}),
    ),
    "dots1": Architecture(
        "dots1",
        "Dots1ForCausalLM",
        {**_norms, **_attention, **_head_norms, **_dots1_experts},
        dense_layer={**_layer, **_head_norms},
        fields=_dots1,
        supported=_expert_fields | _router_fields,
    ),
    "ernie4_5": Architecture("ernie4_5", "Ernie4_5ForCausalLM", _layer, fields=_ernie),
    "ernie4_5-moe": Architecture(
        "ernie4_5_moe",
        "Ernie4_5_MoeForCausalLM",
        {
            **_norms,
            **_attention,
            **_routed_experts,
            "exp_probs_b.bias": ("mlp.e_score_correction_bias", ("experts",)),
        },
        dense_layer=_layer,
        fields=_ernie_mixture,
        supported=_expert_fields | {"expert_shared_count", "leading_dense_block_count"},
    ),
    # EXAONE 3 computes what Llama does, under other names.
    "exaone": Architecture("llama", "LlamaForCausalLM", _layer),
    "exaone4": Architecture(
        "exaone4",
        "Exaone4ForCausalLM",
        {
            **_attention,
            **_head_norms,
            "post_attention_norm.weight": ("post_attention_layernorm.weight", ("hidden",)),
            "post_ffw_norm.weight": ("post_feedforward_layernorm.weight", ("hidden",)),
            **_feed_forward,
        },
        fields=_exaone4,
        supported=_window,
    ),
    "gemma": Architecture("gemma", "GemmaForCausalLM", _layer, norm_offset=1, fields=_gemma),
    "gemma2": Architecture(
        "gemma2",
        "Gemma2ForCausalLM",
        {**_four_norms, **_attention, **_feed_forward},
        norm_offset=1,
        fields=_gemma2,
        supported=_window | _soft_caps,
    ),
    "gemma3": Architecture(
        "gemma3_text",
        "Gemma3ForCausalLM",
        {**_four_norms, **_attention, **_head_norms, **_feed_forward},
        norm_offset=1,
        fields=_gemma3,
        supported=_window,
    ),
    "glm4": Architecture(
        "glm4",
        "Glm4ForCausalLM",
        {
            "attn_norm.weight": ("input_layernorm.weight", ("hidden",)),
            "post_attention_norm.weight": ("post_self_attn_layernorm.weight", ("hidden",)),
            "ffn_norm.weight": ("post_attention_layernorm.weight", ("hidden",)),
            "post_ffw_norm.weight": ("post_mlp_layernorm.weight", ("hidden",)),
            **_attention,
            **_gate_up,
        },
        has_partial_rotation=True,
        optional=_projection_biases,
        fields=_glm4,
    ),
    "glm4moe": Architecture(
        "glm4_moe",
        "Glm4MoeForCausalLM",
        {**_post_norms, **_attention, **_routed_experts},
        has_partial_rotation=True,
        optional={**_projection_biases, **_head_norms},
        dense_layer={**_post_norms, **_attention, **_feed_forward},
        fields=_glm4_mixture,
        supported=_expert_fields | _router_fields | {PREDICTING_LAYERS},
    ),
    "gpt-oss": Architecture(
        "gpt_oss",
        "GptOssForCausalLM",
        _gpt_oss,
        fields=_gpt_oss_fields,
        supported=_expert_fields | {"attention.sliding_window"},
    ),
    "granite": Architecture(
        "granite",
        "GraniteForCausalLM",
        _layer,
        _interleaved,
        fields=_granite,
        supported=_scales,
    ),
    "granitemoe": Architecture(
        "granitemoe",
        "GraniteMoeForCausalLM",
        {
            **_norms,
            **_attention,
            **_block_sparse_experts,
            "ffn_gate_inp.weight": ("block_sparse_moe.router.layer.weight", ("experts", "hidden")),
        },
        _interleaved,
        has_head_size=False,
        fields=_granite_mixture,
        supported=_scales | _expert_fields,
    ),
    "hunyuan-dense": Architecture(
        "hunyuan_v1_dense",
        "HunYuanDenseV1ForCausalLM",
        {
            **_layer,
            "attn_q_norm.weight": ("self_attn.query_layernorm.weight", ("head",)),
            "attn_k_norm.weight": ("self_attn.key_layernorm.weight", ("head",)),
        },
        fields=_hunyuan,
    ),
    # InternLM 2 computes what Llama does; llama.cpp's converter has split its fused matrices.
    "internlm2": Architecture("llama", "LlamaForCausalLM", _layer, _interleaved),
    "llama": Architecture("llama", "LlamaForCausalLM", _layer, _interleaved),
    # MiniCPM computes what Granite does, with scales under other names.
    "minicpm": Architecture(
        "granite",
        "GraniteForCausalLM",
        _layer,
        _interleaved,
        has_head_size=False,
        fields=_minicpm,
        supported=_scales,
    ),
    "nemotron": Architecture(
        "nemotron",
        "NemotronForCausalLM",
        {
            **_layer_norms,
            **_attention,
            "ffn_up.weight": _feed_forward["ffn_up.weight"],
            "ffn_down.weight": _feed_forward["ffn_down.weight"],
        },
        norm_offset=1,
        has_partial_rotation=True,
        epsilon="norm_eps",
        outside=_outside_layer_norms,
        fields=_nemotron,
    ),
    "olmo2": Architecture("olmo2", "Olmo2ForCausalLM", {**_attention, **_outer_norms, **_feed_forward}),
    "olmoe": Architecture(
        "olmoe",
        "OlmoeForCausalLM",
        {**_norms, **_attention, **_wide_norms, **_experts},
        fields=_olmoe,
        supported=_expert_fields,
    ),
    "phi2": Architecture(
        "phi",
        "PhiForCausalLM",
        _phi2,
        has_head_size=False,
        has_partial_rotation=True,
        epsilon="layer_norm_eps",
        outside=_outside_phi2,
        fields=_phi,
    ),
    "phi3": Architecture(
        "phi3",
        "Phi3ForCausalLM",
        {**_norms, **_fused},
        has_partial_rotation=True,
        has_long_rope=True,
        fields=_phi3,
        supported=_window | {"rope.scaling.attn_factor"},
    ),
    "qwen2": _qwen2,
    "qwen2moe": Architecture(
        "qwen2_moe",
        "Qwen2MoeForCausalLM",
        {**_norms, **_attention, **_projection_biases, **_experts, **_shared_expert},
        has_head_size=False,
        fields=_mixture,
        supported=_expert_fields,
    ),
    # The text parts of Qwen's vision models compute what the models for text do.
    "qwen2vl": replace(_qwen2, supported=_image_positions),
    "qwen3": _qwen3,
    "qwen3moe": _qwen3_mixture,
    "qwen3vl": replace(_qwen3, supported=_image_positions),
    "qwen3vlmoe": replace(_qwen3_mixture, supported=_expert_fields | _image_positions),
    "seed_oss": Architecture(
        "seed_oss",
        "SeedOssForCausalLM",
        {
            **_post_norms,
            **_attention,
            **_feed_forward,
        },
        optional=_projection_biases,
        fields=_biased,
    ),
    "smollm3": Architecture("smollm3", "SmolLM3ForCausalLM", _layer, _interleaved),
    "stablelm": Architecture(
        "stablelm",
        "StableLmForCausalLM",
        {**_layer_norms, **_attention, **_feed_forward},
        has_head_size=False,
        has_partial_rotation=True,
        epsilon="layer_norm_eps",
        outside=_outside_layer_norms,
        optional=_projection_biases,
        fields=_stablelm,
    ),
    "starcoder2": Architecture(
        "starcoder2",
        "Starcoder2ForCausalLM",
        _starcoder2,
        has_head_size=False,
        epsilon="norm_epsilon",
        outside=_outside_layer_norms,
        fields=_gelu,
    ),
}
"""By `general.architecture`."""

LLAMA_MIXTURE = Architecture(
    "mixtral",
    "MixtralForCausalLM",
    {**_norms, **_attention, **_block_sparse_experts},
    _interleaved,
    has_head_size=False,
    fields=_mixtral,
    supported=_expert_fields,
)
"""The architecture of files of llama with experts."""
