"""A tiny configuration for every network of the installed mlx-lm.

Common sizes fill the fields that a network's settings have; `_special` holds values that only one network needs.
"""

import dataclasses
import importlib
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VOCABULARY = 320
UNAVAILABLE: Mapping[str, str] = {
    "llama4_text": "no model of this form is published",
    "muse_spark": "needs Metal",
    "olmo": "needs the package ai2-olmo",
    "prism_hadamard_qwen35": "reads only one published pack of 2-bit weights",
}
"""Networks that have no tiny form here, with the reason."""

_attention: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 2048,
    "vocab_size": VOCABULARY,
    "tie_word_embeddings": False,
}
_other_names: dict[str, Any] = {
    **dict.fromkeys(("dim", "d_model", "n_embd", "model_dim", "hidden_dim"), 64),
    **dict.fromkeys(("n_layers", "n_layer", "num_layers"), 2),
    **dict.fromkeys(("n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("num_kv_heads", "n_kv_heads"), 2),
    **dict.fromkeys(("n_positions", "n_ctx", "max_seq_len", "model_max_length"), 2048),
    **dict.fromkeys(("layer_norm_eps", "layer_norm_epsilon", "layernorm_epsilon", "norm_eps", "norm_epsilon"), 1e-5),
    "layer_norm_rms_eps": 1e-5,
    **dict.fromkeys(("attention_bias", "mlp_bias", "use_bias", "bias", "conv_bias", "use_qkv_bias"), False),
    **dict.fromkeys(("partial_rotary_factor", "rotary_pct"), 0.5),
    **dict.fromkeys(("logits_scaling", "logit_scale", "embedding_multiplier", "residual_multiplier"), 1.0),
    "num_vocab": VOCABULARY,
    "hidden_act": "silu",
    "rotary_dim": 8,
    "rope_traditional": False,
    "rope_scaling": None,
    "sliding_window": 32,
    "attention_multiplier": 0.25,
    "query_pre_attn_scalar": 16,
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
    "use_qk_norm": True,
    "layer_norm_type": "rms_norm",
    "num_nextn_predict_layers": 0,
}
_mixture: dict[str, Any] = {
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "moe_k"), 2),
    **dict.fromkeys(("moe_intermediate_size", "expert_ffn_hidden_size", "moe_hidden_size"), 64),
    **dict.fromkeys(("ffn_hidden_size", "ffn_dim", "dense_intermediate_size"), 128),
    **dict.fromkeys(("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size"), 64),
    **dict.fromkeys(("n_shared_experts", "num_shared_experts", "num_shared_expert"), 1),
    **dict.fromkeys(("n_group", "topk_group", "num_expert_group", "first_k_dense_replace", "moe_layer_freq"), 1),
    **dict.fromkeys(("scoring_func", "score_function"), "sigmoid"),
    "topk_method": "noaux_tc",
    "routed_scaling_factor": 1.0,
    "norm_topk_prob": True,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "num_dense_layers": 1,
    "use_expert_bias": True,
    "expert_layer_offset": 1,
    "expert_layer_period": 2,
}
_latent: dict[str, Any] = {
    "kv_lora_rank": 32,
    "q_lora_rank": 32,
    "qk_rope_head_dim": 16,
    "qk_nope_head_dim": 32,
    "v_head_dim": 32,
    "qk_head_dim": 48,
}
_recurrent: dict[str, Any] = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_conv_kernel_dim": 4,
    "full_attention_interval": 2,
    **dict.fromkeys(("state_size", "mamba_d_state", "ssm_state_size"), 16),
    **dict.fromkeys(("conv_kernel", "mamba_d_conv"), 4),
    **dict.fromkeys(("expand", "mamba_expand"), 2),
    **dict.fromkeys(("time_step_rank", "mamba_dt_rank"), 4),
    **dict.fromkeys(("n_groups", "mamba_n_groups"), 1),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads"), 4),
    **dict.fromkeys(("mamba_d_head", "mamba_head_dim"), 16),
    **dict.fromkeys(("mamba_chunk_size", "chunk_size"), 32),
    **dict.fromkeys(("use_conv_bias", "mamba_conv_bias", "mamba_rms_norm"), True),
    "mamba_d_ssm": 64,
    "mamba_proj_bias": False,
    "time_step_limit": [0.0, 100.0],
    "time_step_min": 0.001,
    "time_step_max": 0.1,
    "time_step_floor": 1e-4,
    "conv_L_cache": 3,
    "block_dim": 64,
    "block_ff_dim": 128,
    "block_multiple_of": 32,
    "block_ffn_dim_multiplier": 1.0,
    "block_auto_adjust_ff_dim": False,
    "attn_layer_offset": 1,
    "attn_layer_period": 2,
    "short_conv_kernel_size": 4,
}
_common = {**_other_names, **_mixture, **_latent, **_recurrent, **_attention}

_local_and_full = ["sliding_attention", "full_attention"]
_linear_and_full = ["linear_attention", "full_attention"]
_conv_and_full = ["conv", "full_attention"]
_rotation = {"rope_theta": 10000.0, "rope_type": "default"}
_longrope = {
    "type": "longrope",
    "short_factor": [1.0] * 8,
    "long_factor": [1.0] * 8,
    "original_max_position_embeddings": 2048,
}
_yarn = {"type": "yarn", "factor": 1.0, "mscale": 0.707, "mscale_all_dim": 0.707}
_deltas = {name: value for name, value in _recurrent.items() if name.startswith("linear_")}
_qwen3_5 = {
    **_attention,
    **_deltas,
    "full_attention_interval": 2,
    "layer_types": _linear_and_full,
    "rope_parameters": {**_rotation, "partial_rotary_factor": 0.5, "mrope_section": [1, 1, 2]},
}
_experts = {
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 64,
    "shared_expert_intermediate_size": 64,
}
_deepseek = {
    name: _common[name]
    for name in (
        *_latent,
        "n_routed_experts",
        "n_shared_experts",
        "num_experts_per_tok",
        "moe_intermediate_size",
        "first_k_dense_replace",
        "moe_layer_freq",
        "topk_method",
        "scoring_func",
        "n_group",
        "topk_group",
        "routed_scaling_factor",
        "norm_topk_prob",
    )
}
_gemma3n = {
    **_attention,
    "num_hidden_layers": 4,
    "layer_types": _local_and_full * 2,
    "sliding_window": 32,
    "num_kv_shared_layers": 2,
    "vocab_size_per_layer_input": VOCABULARY,
    "hidden_size_per_layer_input": 32,
    "rope_local_base_freq": 10000.0,
    "final_logit_softcapping": 30.0,
    "activation_sparsity_pattern": [0.0] * 4,
    "altup_num_inputs": 2,
    "altup_coef_clip": 120.0,
    "altup_correct_scale": True,
    "altup_active_idx": 0,
    "laurel_rank": 32,
}
_gemma4 = {
    **_attention,
    "num_hidden_layers": 4,
    "layer_types": _local_and_full * 2,
    "sliding_window": 32,
    "num_kv_shared_layers": 2,
    "global_head_dim": 32,
    "vocab_size_per_layer_input": VOCABULARY,
    "hidden_size_per_layer_input": 32,
}
_llama4 = {
    **_attention,
    "num_hidden_layers": 4,
    "attention_bias": False,
    "attention_chunk_size": 32,
    "interleave_moe_layer_step": 2,
    "intermediate_size_mlp": 128,
    "num_local_experts": 4,
    "num_experts_per_tok": 1,
    "use_qk_norm": True,
    "rope_scaling": None,
}
_kimi_delta = {"full_attn_layers": [2], "kda_layers": [1], "num_heads": 4, "head_dim": 32, "short_conv_kernel_size": 4}
_lfm2 = {
    **_attention,
    "norm_eps": 1e-5,
    "layer_types": _conv_and_full,
    **{name: value for name, value in _common.items() if name.startswith(("conv_", "block_"))},
}
_block = {"attention": {"n_heads_in_group": 2}, "ffn": {"ffn_mult": 1.0}}
_longcat = {"zero_expert_num": 2, "mla_scale_q_lora": True, "mla_scale_kv_lora": True}
_minimax_m3 = {
    **_attention,
    "rotary_dim": 8,
    "dense_intermediate_size": 128,
    "shared_intermediate_size": 64,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "moe_layer_freq": [0, 1],
    "sparse_attention_config": {
        "sparse_num_index_heads": 2,
        "sparse_index_dim": 16,
        "sparse_block_size": 16,
        "sparse_topk_blocks": 2,
        "sparse_local_block": 1,
        "sparse_attention_freq": [0, 1],
    },
}
_kimi_k3 = {
    **{name: value for name, value in _attention.items() if name != "rope_theta"},
    **_latent,
    "hidden_act": "situ",
    "linear_attn_config": {**_kimi_delta, "gate_lower_bound": -5.0},
    "activation_situ_beta": 4.0,
    "attn_res_block_size": 2,
    "num_experts": 4,
    "num_experts_per_token": 2,
    "num_shared_experts": 1,
    "moe_intermediate_size": 64,
    "first_k_dense_replace": 1,
}
_muse_spark = {
    **_attention,
    "post_norm_eps": 1e-5,
    "rope_parameters": _rotation,
    "layer_rope_theta": [10000.0, 0],
    "layer_types": _local_and_full,
    "sliding_window": 32,
    "final_logit_softcapping": 30.0,
    "output_multiplier": 1.0,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "moe_hidden_size": 64,
    "moe_intermediate_size": 64,
}
_special: Mapping[str, dict[str, Any]] = {
    "afm7": {"num_kv_reuse_layers": 1},
    "afmoe": {"layer_types": _local_and_full},
    "apertus": {"post_norm": False, "qk_norm": True},
    "baichuan_m1": {
        "sliding_window_layers": [0],
        "conv_window": 2,
        "num_swa_attention_heads": 4,
        "num_swa_key_value_heads": 2,
    },
    "bailing_hybrid": {"layer_group_size": 2, "group_norm_size": 2, "num_key_value_heads": 4},
    "bailing_moe_linear": {"layer_group_size": 2, "group_norm_size": 2, "num_key_value_heads": 4},
    "bailing_moe_v3": {"layer_group_size": 2},
    "cohere2": {"sliding_window_pattern": 2},
    "dbrx": {
        "ffn_config": {"ffn_hidden_size": 128, "moe_num_experts": 4, "moe_top_k": 2},
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10000.0},
    },
    "deepseek_v2": {"rope_scaling": _yarn, "topk_method": "greedy", "scoring_func": "softmax"},
    "deepseek_v32": {"index_head_dim": 32, "index_n_heads": 2, "index_topk": 16},
    "exaone4": {"sliding_window_pattern": "LG", "layer_types": _local_and_full},
    "exaone_moe": {"layer_types": _local_and_full, "is_moe_layer": [False, True]},
    "gear": {"layer_types": ["conv_mixer", "full_attention"]},
    "gemma3": {
        "text_config": {
            **_attention,
            "model_type": "gemma3_text",
            "query_pre_attn_scalar": 16,
            "sliding_window": 32,
            "sliding_window_pattern": 2,
        },
        "vision_config": {},
    },
    "gemma3_text": {"sliding_window_pattern": 2},
    "gemma3n": {"text_config": {**_gemma3n, "model_type": "gemma3n_text"}},
    "gemma4": {"text_config": {**_gemma4, "model_type": "gemma4_text"}},
    "gemma4_text": _gemma4,
    "glm_moe_dsa": {"index_head_dim": 32, "index_n_heads": 2, "index_topk": 16, "rope_parameters": _rotation},
    "gpt_bigcode": {"n_inner": 128},
    "gpt_neox": {"rotary_emb_base": 10000},
    "gpt_oss": {"layer_types": _local_and_full, "intermediate_size": 64},
    "granitemoehybrid": {
        "layer_types": ["mamba", "attention"],
        "shared_intermediate_size": 64,
        "mamba_n_heads": 8,
        "mamba_d_head": 16,
        "position_embedding_type": "nope",
    },
    "hunyuan": {
        "use_mixed_mlp_moe": True,
        "use_cla": True,
        "cla_share_factor": 2,
        "rope_scaling": {"factor": 1.0, "type": "dynamic", "alpha": 1000.0},
        "max_position_embeddings": 2048,
    },
    "kimi_k25": {"text_config": {**_attention, **_deepseek, "model_type": "kimi_k2", "num_key_value_heads": 4}},
    "kimi_k3": {"text_config": {**_kimi_k3, "model_type": "kimi_linear"}},
    "kimi_linear": {"linear_attn_config": _kimi_delta, "head_dim": 48},
    "kimi_vl": {"text_config": {**_attention, **_deepseek, "model_type": "deepseek_v3", "num_key_value_heads": 4}},
    "lfm2": {"layer_types": _conv_and_full, "full_attn_idxs": [1]},
    "lfm2-vl": {"text_config": {**_lfm2, "model_type": "lfm2"}},
    "lfm2_moe": {"layer_types": _conv_and_full, "full_attn_idxs": [1]},
    "lille-130m": {"block_size": 2048},
    "llama4": {"text_config": {**_llama4, "model_type": "llama4_text"}},
    "longcat_flash": {"attention_method": "MLA", "zero_expert_type": "identity", **_longcat},
    "longcat_flash_ngram": {"ngram_vocab_size_ratio": 3, **_longcat},
    "mamba2": {"num_heads": 8, "head_dim": 16, "intermediate_size": 128},
    "mellum": {"layer_types": _local_and_full, "rope_parameters": dict.fromkeys(_local_and_full, _rotation)},
    "mimo_v2_flash": {
        "hybrid_layer_pattern": [1, 0],
        "moe_layer_freq": [0, 1],
        "add_swa_attention_sink_bias": True,
        "add_full_attention_sink_bias": False,
        "sliding_window_size": 32,
        "swa_rope_theta": 10000.0,
        "swa_num_attention_heads": 4,
        "swa_num_key_value_heads": 2,
        "swa_head_dim": 16,
        "swa_v_head_dim": 16,
        "v_head_dim": 16,
    },
    "minicpm": {"dim_model_base": 64, "scale_depth": 1.4, "scale_emb": 1.0},
    "minicpm3": {"dim_model_base": 64, "scale_depth": 1.4, "scale_emb": 1.0, "rope_scaling": _longrope},
    "minimax": {"model_type": "minimax_m2", "shared_intermediate_size": 0, "rotary_dim": 8},
    "minimax_m3_vl": {"text_config": {**_minimax_m3, "model_type": "minimax_m3_vl_text"}},
    "ministral3": {
        "rope_parameters": {**_rotation, "llama_4_scaling_beta": 0.1, "original_max_position_embeddings": 2048}
    },
    "mistral3": {"text_config": {**_attention, "model_type": "mistral"}},
    "mistral4": {
        "rope_parameters": {**_rotation, "llama_4_scaling_beta": 0.1, "original_max_position_embeddings": 2048}
    },
    "muse_spark": {"text_config": {**_muse_spark, "model_type": "muse_spark_text"}},
    "nemotron": {"hidden_act": "relu2"},
    "nemotron-nas": {"block_configs": [_block] * 2},
    "nemotron_h": {"hybrid_override_pattern": "M*-E", "num_hidden_layers": 4},
    "olmo3": {"layer_types": _local_and_full},
    "olmo_hybrid": {"linear_allow_neg_eigval": True, "layer_types": _linear_and_full},
    "openelm": {
        "num_transformer_layers": 2,
        "ffn_dim_divisor": 32,
        "num_query_heads": [4, 4],
        "num_kv_heads": [2, 2],
        "ffn_multipliers": [1.0, 2.0],
        "normalize_qk_projections": True,
        "ffn_with_glu": True,
        "share_input_output_layers": True,
    },
    "phi3small": {
        "dense_attention_every_n_layers": 2,
        "ff_intermediate_size": 128,
        "gegelu_limit": 20.0,
        "blocksparse_block_size": 32,
        "vocab_size": 100352,  # The network masks tokens by their numbers.
    },
    "phimoe": {
        "attention_bias": True,
        "lm_head_bias": True,
        "rope_scaling": {**_longrope, "short_mscale": 1.0, "long_mscale": 1.0},
    },
    "pixtral": {"text_config": {**_attention, "model_type": "mistral"}},
    "plamo": {"n_shared_head": 2},
    "plamo3": {"window_size": 32, "sliding_window_pattern": 2},
    "qwen": {"kv_channels": 16},
    "qwen2_vl": {"text_config": {**_attention, "model_type": "qwen2_vl_text"}},
    "qwen3_5": {"text_config": {**_qwen3_5, "model_type": "qwen3_5_text"}},
    "qwen3_5_moe": {"text_config": {**_qwen3_5, **_experts, "model_type": "qwen3_5_moe_text"}},
    "qwen3_vl": {"text_config": {**_attention, "model_type": "qwen3_vl_text"}},
    "qwen3_vl_moe": {
        "text_config": {
            **_attention,
            **{name: value for name, value in _experts.items() if not name.startswith("shared")},
            "model_type": "qwen3_vl_moe_text",
            "decoder_sparse_step": 1,
            "mlp_only_layers": [],
            "norm_topk_prob": True,
        }
    },
    "recurrent_gemma": {
        "conv1d_width": 4,
        "logits_soft_cap": 30.0,
        "attention_window_size": 32,
        "num_key_value_heads": 1,
        "block_types": ["recurrent", "attention"],
        "lru_width": 64,
    },
    "rwkv7": {"a_low_rank_dim": 32, "v_low_rank_dim": 32, "gate_low_rank_dim": 32, "decay_low_rank_dim": 32},
    "spark2_5": {
        "hidden_act": "gelu",
        "layer_types": _local_and_full,
        "rope_parameters": dict.fromkeys(_local_and_full, _rotation),
    },
    "step3p5": {"num_attention_groups": 2},
}

_four_kinds = {"num_hidden_layers": 4, "layer_types": _local_and_full * 2}
VARIANTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "bailing_hybrid, last group incomplete": ("bailing_hybrid", {"num_hidden_layers": 3}),
    "cohere2, default pattern": ("cohere2", {"num_hidden_layers": 5, "sliding_window_pattern": 4}),
    "deepseek_v41, compressed": (
        "deepseek_v41",
        {
            "compress_ratios": [0, 4],
            "kv_source_layer_ids": [1],
            "index_source_layer_ids": [1],
            "index_head_dim": 16,
            "index_n_heads": 2,
        },
    ),
    "gemma2, windows": ("gemma2", {}),
    "gemma4_text, keys as values": (
        "gemma4_text",
        {"attention_k_eq_v": True, "num_global_key_value_heads": 1, "num_kv_shared_layers": 0},
    ),
    "hunyuan, no shared keys": ("hunyuan", {"use_cla": False}),
    "laguna, windows": ("laguna", _four_kinds),
    "llama, windows": ("llama", _four_kinds),
    "ministral3, windows": ("ministral3", _four_kinds),
    "mistral, windows": ("llama", {"model_type": "mistral", "sliding_window": 32}),
    "muse_glimmer, default pattern": ("muse_glimmer", {"num_hidden_layers": 5}),
    "nanbeige, loops": ("nanbeige", {"num_loops": 2}),
    "nemotron-nas, no attention": (
        "nemotron-nas",
        {"block_configs": [_block, {**_block, "attention": {"no_op": True}}]},
    ),
    "plamo2, long step": ("plamo2", {"num_hidden_layers": 5, "mamba_step": 4}),
    "qwen2, windows": ("qwen2", {"use_sliding_window": True, "max_window_layers": 1}),
    "step3p5, other heads": (
        "step3p5",
        {**_four_kinds, "attention_other_setting": {"num_attention_heads": 4, "num_attention_groups": 1}},
    ),
}
"""Further settings that change the KV cache: by name, the architecture and its settings."""


def architectures() -> list[str]:
    """Return the names of the modules of mlx-lm that define a network, in alphabetical order."""
    origin = importlib.util.find_spec("mlx_lm")
    assert origin
    assert origin.origin
    sources = (Path(origin.origin).parent / "models").glob("*.py")
    model = re.compile(r"^(class Model\b|from .+ import .*\bModel\b)", re.MULTILINE)
    return sorted(path.stem for path in sources if model.search(path.read_text(encoding="utf-8")))


def configuration(name: str) -> dict[str, Any]:
    """Return the contents of config.json for a tiny network: an architecture or one of `VARIANTS`."""
    architecture, variant = VARIANTS.get(name, (name, {}))
    settings = importlib.import_module(f"mlx_lm.models.{architecture}").ModelArgs
    names = [field.name for field in dataclasses.fields(settings)] if dataclasses.is_dataclass(settings) else ()
    values = {name: _common[name] for name in names if name in _common}
    if "kv_lora_rank" in values:
        values["num_key_value_heads"] = _common["num_attention_heads"]
    return {"model_type": architecture, **values, **_special.get(architecture, {}), **variant}
