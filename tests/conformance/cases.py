"""The models that are compared with transformers: sizes, and the features of each family switched on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

WINDOW = 32
POSITIONS = 96
FIRST_CHUNK = 40
"""The first of the steps in which a model reads; the others have one token."""
BASE = 12345.0
VOCABULARY = 320

SIZES: Mapping[str, Any] = {
    "vocab_size": VOCABULARY,
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "dim"), 64),
    **dict.fromkeys(("intermediate_size", "n_inner", "ffn_hidden_size", "intermediate_size_mlp"), 96),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), 4),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "max_seq_len", "model_max_length"), 512),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k", "top_k_experts"), 2),
    **dict.fromkeys(("moe_intermediate_size", "expert_ffn_hidden_size", "shared_expert_intermediate_size"), 32),
    **dict.fromkeys(("n_group", "topk_group", "num_expert_group"), 1),
    "head_dim": 16,
    "shared_intermediate_size": 32,
    "n_shared_experts": 1,
    "moe_num_shared_experts": 1,
    "num_shared_experts": 1,
    "first_k_dense_replace": 1,
    "num_dense_layers": 1,
    "moe_layer_start_index": 1,
    "kv_lora_rank": 32,
    "q_lora_rank": 24,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16,
    "v_head_dim": 16,
    "sliding_window": WINDOW,
    "attention_window_size": WINDOW,
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "mamba_d_state": 16,
    "mamba_d_ssm": 128,
    "mamba_n_heads": 8,
    "mamba_d_head": 16,
    "mamba_n_groups": 1,
    "mamba_expand": 2,
    "mamba_dt_rank": 4,
    "mamba_chunk_size": 32,
    "mamba_num_heads": 8,
    "mamba_head_dim": 16,
    "ssm_state_size": 16,
    "state_size": 16,
    "time_step_rank": 4,
    "lru_width": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": BASE}
_llama3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
    "rope_theta": BASE,
}
_linear = {"rope_type": "linear", "factor": 4.0, "rope_theta": BASE}
_dynamic = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": BASE}
_default = {"rope_type": "default", "rope_theta": BASE}


TEXT_PARTS = ("gemma3n_text", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_vl_text", "qwen3_vl_moe_text", "qwen2_vl_text")
"""Text parts of multimodal models that are saved on their own."""

WHOLES: Mapping[str, str] = {
    "gemma3": "gemma3_text",
    "gemma4": "gemma4_text",
    "lfm2_vl": "lfm2",
    "llama4": "llama4_text",
    "llava": "llama",
    "minimax_m3_vl": "minimax_m3_vl_text",
    "mistral3": "mistral",
    "muse_glimmer": "muse_glimmer_text",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen2_vl": "qwen2_vl_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
}
"""Multimodal models, and the architecture of their text part, which alone is compared."""

OTHER_PARTS: Mapping[str, Any] = {
    **dict.fromkeys(("hidden_size", "embed_dim", "intermediate_size"), 32),
    **dict.fromkeys(("num_hidden_layers", "depth"), 1),
    **dict.fromkeys(("num_attention_heads", "num_heads", "num_key_value_heads"), 2),
    **dict.fromkeys(("out_hidden_size", "vision_output_dim", "projector_input_dim", "projector_output_dim"), 64),
    "image_size": 28,
    "patch_size": 14,
    "head_dim": 16,
    "num_position_embeddings": 16,
    "deepstack_visual_indexes": [0],
    "fullatt_block_indexes": [0],
}
"""Sizes of the parts for vision and audio."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model of transformers: its `model_type`, and the fields that differ from SIZES."""

    architecture: str
    variant: str = "plain"
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.architecture}-{self.variant}"


def longrope(rotated: int, original: int) -> dict[str, Any]:
    """Return settings for `rotated` values per head; `original` is the length up to which the short factors apply."""
    count = rotated // 2
    return {
        "rope_type": "longrope",
        "short_factor": [1.0 + 0.05 * index for index in range(count)],
        "long_factor": [1.5 + 0.5 * index for index in range(count)],
        "original_max_position_embeddings": original,
        "rope_theta": BASE,
    }


_variants: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "llama": {
        "llama3": {"rope_parameters": _llama3},
        "yarn": {"rope_parameters": _yarn},
        "linear": {"rope_parameters": _linear},
        "dynamic": {"rope_parameters": _dynamic, "max_position_embeddings": 64},
        "biases": {"attention_bias": True, "mlp_bias": True},
        "tied": {"tie_word_embeddings": True},
    },
    "mistral": {"no-window": {"sliding_window": None}},
    "qwen2": {
        "window": {"use_sliding_window": True, "max_window_layers": 2},
        "yarn": {"rope_parameters": _yarn},
        "tied": {"tie_word_embeddings": True},
    },
    "qwen2_moe": {"dense-layers": {"mlp_only_layers": [1]}, "normalized": {"norm_topk_prob": True}},
    "qwen3": {
        "window": {"use_sliding_window": True, "max_window_layers": 2},
        "yarn": {"rope_parameters": _yarn},
        "tied": {"tie_word_embeddings": True},
    },
    "qwen3_moe": {
        "yarn": {"rope_parameters": _yarn},
        "normalized": {"norm_topk_prob": True},
        "sparse-step": {"decoder_sparse_step": 2},
    },
    "phi3": {
        "partial": {"rope_parameters": {**_default, "partial_rotary_factor": 0.5}},
        "long-short": {
            "rope_parameters": {**longrope(12, 256), "partial_rotary_factor": 0.75},
            "original_max_position_embeddings": 256,
            "sliding_window": None,
        },
        "long-cross": {
            "rope_parameters": longrope(16, 64),
            "original_max_position_embeddings": 64,
            "sliding_window": None,
        },
        "long-long": {
            "rope_parameters": longrope(16, 16),
            "original_max_position_embeddings": 16,
            "sliding_window": None,
        },
    },
    "phimoe": {
        "long-short": {
            "rope_parameters": {**longrope(16, 256), "short_mscale": 1.1, "long_mscale": 1.2},
            "original_max_position_embeddings": 256,
        },
    },
    "gpt_oss": {
        "yarn": {"rope_parameters": {**_yarn, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False, "factor": 32.0}},
    },
    "glm4_moe": {"yarn": {"rope_parameters": {**_yarn, "partial_rotary_factor": 0.5}}},
    "glm4": {"partial": {"rope_parameters": {**_default, "partial_rotary_factor": 0.5}}},
    "glm": {"partial": {"rope_parameters": {**_default, "partial_rotary_factor": 0.5}}},
    "deepseek_v3": {
        "yarn": {"rope_parameters": {**_yarn, "mscale": 1.0, "mscale_all_dim": 1.0, "factor": 40.0}},
        "no-q-lora": {"q_lora_rank": None},
    },
    "deepseek_v2": {
        "yarn": {"rope_parameters": {**_yarn, "mscale": 0.7, "mscale_all_dim": 0.7, "factor": 40.0}},
    },
    "solar_open": {"yarn": {"rope_parameters": _yarn}},
    "olmo3": {
        "yarn": {
            "rope_parameters": {
                "full_attention": {**_yarn, "rope_theta": 500000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 500000.0},
            }
        }
    },
    "gemma2": {"no-caps": {"attn_logit_softcapping": None, "final_logit_softcapping": None}},
    "gemma3_text": {
        "linear": {
            "rope_parameters": {
                "full_attention": {**_linear, "factor": 8.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 777.0},
            }
        },
        "pattern": {"layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"]},
    },
    "smollm3": {"yarn": {"rope_parameters": _yarn}},
    "stablelm": {"partial": {"partial_rotary_factor": 0.5, "use_qkv_bias": True}},
    "minicpm3": {
        "long-short": {
            "rope_parameters": longrope(8, 256),
            "original_max_position_embeddings": 256,
            "tie_word_embeddings": True,
        },
    },
    "ministral3": {
        "yarn": {
            "rope_parameters": {**_yarn, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1},
        },
    },
    "granite": {
        "multipliers": {
            "attention_multiplier": 0.1,
            "embedding_multiplier": 3.0,
            "residual_multiplier": 0.5,
            "logits_scaling": 4.0,
        }
    },
    "gemma4_text": {
        "mixture": {
            "enable_moe_block": True,
            "attention_k_eq_v": True,
            "num_global_key_value_heads": 1,
            "num_kv_shared_layers": 0,
            "hidden_size_per_layer_input": 0,
        },
    },
    "starcoder2": {"no-window": {"sliding_window": None}},
    "apertus": {"llama3": {"rope_parameters": _llama3}},
    "cohere": {"qk-norm": {"use_qk_norm": True}},
    "ernie4_5_moe": {"two-shared": {"moe_num_shared_experts": 2}},
    "exaone4": {
        "llama3": {"rope_parameters": _llama3},
        "no-window": {"sliding_window": None, "layer_types": ["full_attention"] * 4},
    },
    "gpt_neox": {
        "linear": {"rope_parameters": {**_linear, "partial_rotary_factor": 0.25}},
        "serial": {"use_parallel_residual": False},
    },
    "granitemoehybrid": {
        "dense": {
            "num_local_experts": 0,
            "num_experts_per_tok": 0,
            "position_embedding_type": "rope",
            "layer_types": ["attention"] * 4,
        }
    },
    "hunyuan_v1_dense": {"alpha": {"rope_parameters": {**_dynamic, "alpha": 1000.0, "factor": 1.0}}},
    "internlm3": {"dynamic": {"rope_parameters": _dynamic, "max_position_embeddings": 64}},
    "jamba": {"one-expert": {"num_experts": 1, "num_experts_per_tok": 1}},
    "seed_oss": {"yarn": {"rope_parameters": _yarn}},
}
"""Further models of a family, with the fields that differ from its plain one."""

_alternating = ["sliding_attention", "full_attention"]
_rotations_by_type = {
    "full_attention": {"rope_type": "default", "rope_theta": BASE},
    "sliding_attention": {"rope_type": "default", "rope_theta": 777.0},
}
_mrope = {"rope_parameters": {**_default, "mrope_section": [2, 3, 3]}}
_plain: Mapping[str, Mapping[str, Any]] = {
    "qwen2_vl_text": _mrope,
    "qwen2_5_vl_text": _mrope,
    "qwen3_vl_text": _mrope,
    "qwen3_vl_moe_text": _mrope,
    "llama4_text": {
        "num_experts_per_tok": 1,
        "attention_chunk_size": WINDOW,
        "intermediate_size_mlp": 128,
        "floor_scale": 24,
        "rope_parameters": _llama3,
    },
    "minimax_m3_vl_text": {"rotary_dim": 8, "index_head_dim": 16},
    "gemma3n_text": {
        "num_hidden_layers": 6,
        "layer_types": _alternating * 3,
        "num_kv_shared_layers": 2,
        "activation_sparsity_pattern": [0.95, 0.95, 0.0, 0.0, 0.0, 0.0],
        "vocab_size_per_layer_input": VOCABULARY,
        "hidden_size_per_layer_input": 16,
        "laurel_rank": 8,
        "rope_parameters": _rotations_by_type,
    },
    "gemma4_text": {
        "num_hidden_layers": 6,
        "layer_types": _alternating * 3,
        "num_kv_shared_layers": 2,
        "vocab_size_per_layer_input": VOCABULARY,
        "hidden_size_per_layer_input": 16,
        "global_head_dim": 32,
        "use_double_wide_mlp": True,
        "final_logit_softcapping": 5.0,
        "rope_parameters": {
            "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": BASE},
            "sliding_attention": {"rope_type": "default", "rope_theta": 777.0},
        },
    },
    "gpt2": {"n_inner": None},
    "mamba2": {"num_heads": 8, "head_dim": 16, "n_groups": 2},
    "gptj": {"rotary_dim": 8, "n_inner": None},
    "laguna": {"layer_types": ["full_attention", "sliding_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "mellum": {"layer_types": ["full_attention", "sliding_attention"] * 2},
    "ministral3": {
        "rope_parameters": {**_default, "llama_4_scaling_beta": 0.1, "original_max_position_embeddings": 64},
    },
    "gpt_neox": {"intermediate_size": 256},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": {"q_lora_rank": None, "layer_types": ["linear_attention"] * 3 + ["full_attention"]},
    "recurrent_gemma": {"num_key_value_heads": 1},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    # transformers' limit of time steps is not the one that NVIDIA's own code and llama.cpp apply.
    "nemotron_h": {"time_step_min": 1e-9},
    # transformers cuts the convolution in three equal parts when it saves.
    "olmo_hybrid": {"linear_num_key_heads": 4},
    "phimoe": {"attention_bias": True, "lm_head_bias": True},
    "gemma2": {"query_pre_attn_scalar": 24},
    "gemma3_text": {"query_pre_attn_scalar": 24, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]},
}
"""Fields that a plain model needs."""


def plain_fields(architecture: str) -> dict[str, Any]:
    """Return the fields of the plain model that differ from SIZES."""
    return dict(_plain.get(architecture, {}))


def cases(architectures: Iterator[str]) -> Iterator[Case]:
    """Yield the models of these architectures."""
    for name in architectures:
        plain = plain_fields(WHOLES.get(name, name))
        yield Case(name, fields=plain)
        for variant, fields in _variants.get(name, {}).items():
            yield Case(name, variant, {**plain, **fields})
