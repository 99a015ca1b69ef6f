"""Fields that transformers derives from others, and names that differ between transformers and mlx-lm, by family.

Sources: the configuration classes of transformers 5.23 and the `ModelArgs` of mlx-lm 0.32.2.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from mlx_engine.models.configuration.windows import is_periodic, layer_types, layer_windows

_Config = dict[str, Any]

_deepseek = {"topk_method": "noaux_tc", "scoring_func": "sigmoid", "moe_layer_freq": 1}
_values: Mapping[str, Mapping[str, Any]] = {
    "apertus": {"mlp_bias": False, "post_norm": False, "qk_norm": True},
    "deepseek_v3": _deepseek,
    "deepseek_v32": _deepseek,
    "glm_moe_dsa": _deepseek,
    # No cap, for which mlx-lm has no value: at 1e9 the hyperbolic tangent is the identity in float32.
    "gemma2": {"attn_logit_softcapping": 1e9, "final_logit_softcapping": 1e9},
    "granitemoehybrid": {"time_step_limit": [0.0, math.inf]},
    "longcat_flash": {
        "attention_method": "MLA",
        "zero_expert_type": "identity",
        "mla_scale_q_lora": True,
        "mla_scale_kv_lora": True,
    },
    "mamba2": {"time_step_limit": [0.0, math.inf]},
    "minimax_m2": {"shared_intermediate_size": 0},
    "qwen3_moe": {"mlp_only_layers": []},
    "qwen3_vl_moe_text": {"norm_topk_prob": True, "mlp_only_layers": []},
    "solar_open": {"first_k_dense_replace": 0, "intermediate_size": 0},
}
"""Values that the networks of transformers have built in, and that mlx-lm reads from the configuration."""

_copies: Mapping[str, Mapping[str, str]] = {
    "gpt2": {"n_ctx": "n_positions"},
    "lfm2": {"block_dim": "hidden_size", "block_ff_dim": "intermediate_size"},
}
"""Fields of mlx-lm that are absent, with the field that has the same value."""

_layer_names: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "granitemoehybrid": ("layer_types", {"linear_attention": "mamba", "full_attention": "attention"}),
}
"""The field that lists the types of layers, and mlx-lm's names for those of transformers 5."""


def complete(config: _Config) -> _Config:
    """Return the configuration of a text model with the fields that its family derives from others."""
    config = _with_heads(config)
    family = str(config.get("model_type"))
    config = _absent_filled(config, _values.get(family, {}))
    config = _absent_filled(config, {name: config.get(source) for name, source in _copies.get(family, {}).items()})
    if family in _layer_names:
        name, translation = _layer_names[family]
        config = _with_layer_names(config, name, translation)
    config = _absent_filled(config, {"layer_types": layer_types(config)})
    rule = _rules.get(family)
    return rule(config) if rule else config


def _absent_filled(config: _Config, values: Mapping[str, Any]) -> _Config:
    return config | {name: value for name, value in values.items() if config.get(name) is None and value is not None}


def _with_heads(config: _Config) -> _Config:
    hidden, heads = config.get("hidden_size"), config.get("num_attention_heads")
    if not isinstance(hidden, int) or not isinstance(heads, int) or heads <= 0:
        return config
    derived = {"num_key_value_heads": heads}
    if not config.get("qk_rope_head_dim"):
        derived["head_dim"] = hidden // heads
    return _absent_filled(config, derived)


def _with_layer_names(config: _Config, name: str, translation: Mapping[str, str]) -> _Config:
    kinds = config.get(name)
    if not isinstance(kinds, list):
        return config
    return config | {name: [translation.get(kind, kind) if isinstance(kind, str) else kind for kind in kinds]}


def _windows(config: _Config) -> tuple[int, ...] | None:
    count = config.get("num_hidden_layers")
    return layer_windows(config, count) if isinstance(count, int) else None


def _with_period(config: _Config) -> _Config:
    """Return the configuration with the period of layers without a window, which mlx-lm reads.

    If the layers have no period, all are without; `networks.windows` then gives each its window.
    """
    windows = _windows(config)
    if not windows:
        return config
    period = next((period for period in range(2, len(windows) + 1) if is_periodic(windows, period)), 1)
    stated = config.get("sliding_window_pattern")
    if isinstance(stated, int) and stated > 0 and is_periodic(windows, stated) and stated <= len(windows):
        period = stated
    return config | {"sliding_window_pattern": period}


def _ernie4_5_moe(config: _Config) -> _Config:
    """Return the configuration with the last layer that has experts, which transformers counts from the end."""
    last, count = config.get("moe_layer_end_index"), config.get("num_hidden_layers")
    is_counted = isinstance(count, int) and (last is None or last == -1)
    return config | {"moe_layer_end_index": count - 1} if is_counted and isinstance(count, int) else config


def _exaone4(config: _Config) -> _Config:
    windows = _windows(config)
    if not windows or not any(windows):
        return config | {"sliding_window_pattern": None}
    return config | {"sliding_window_pattern": "".join("L" if window else "G" for window in windows)}


def _exaone_moe(config: _Config) -> _Config:
    kinds = config.get("mlp_layer_types")
    first, count = config.get("first_k_dense_replace"), config.get("num_hidden_layers")
    if not isinstance(kinds, list) and isinstance(first, int) and isinstance(count, int):
        kinds = ["dense" if index < first else "sparse" for index in range(count)]
    return _absent_filled(config, {"is_moe_layer": [kind == "sparse" for kind in kinds or ()]})


def _gemma4(config: _Config) -> _Config:
    """Return the configuration with the sizes of layers without a window, which transformers 5 states by layer."""
    layers = config.get("per_layer_config")
    entries = list(layers.values()) if isinstance(layers, dict) else []
    sizes = entries[0] if entries and all(entry == entries[0] for entry in entries) else {}
    names = {"global_head_dim": "head_dim", "num_global_key_value_heads": "num_key_value_heads"}
    return _absent_filled(config, {name: sizes.get(source) for name, source in names.items()} if sizes else {})


def _gpt_neox(config: _Config) -> _Config:
    return config | {"rotary_emb_base": config.get("rope_theta"), "rotary_pct": _portion(config)}


def _with_yarn(config: _Config) -> _Config:
    """Return the configuration with a scaling that changes nothing, if there is none: mlx-lm needs one."""
    length = config.get("max_position_embeddings")
    neutral = {"type": "yarn", "rope_type": "yarn", "factor": 1.0, "original_max_position_embeddings": length}
    return _absent_filled(config, {"rope_scaling": neutral})


def _granitemoehybrid(config: _Config) -> _Config:
    if config.get("num_local_experts") == 0:  # The shared expert is the only one.
        config = config | {"intermediate_size": config.get("shared_intermediate_size")}
    return _absent_filled(config, {"position_embedding_type": "nope"})


def _jamba(config: _Config) -> _Config:
    """Return the configuration without lists of layers, which mlx-lm derives as transformers does."""
    return {name: value for name, value in config.items() if name not in ("layers_block_type", "layer_types")}


def _gpt_bigcode(config: _Config) -> _Config:
    width = config.get("n_embd")
    return _absent_filled(config, {"n_inner": 4 * width if isinstance(width, int) else None})


def _mamba2(config: _Config) -> _Config:
    heads, size = config.get("num_heads"), config.get("head_dim")
    width = heads * size if isinstance(heads, int) and isinstance(size, int) else None
    return _absent_filled(config, {"intermediate_size": width})


def _solar_open(config: _Config) -> _Config:
    return config | {"partial_rotary_factor": _portion(config)}


def _kimi_linear(config: _Config) -> _Config:
    """Return the configuration with the section of linear attention; its layers are counted from 1."""
    kinds = config.get("layer_types")
    if isinstance(config.get("linear_attn_config"), dict) or not isinstance(kinds, list):
        return config
    numbered = list(enumerate(kinds, 1))
    section = {
        "full_attn_layers": [number for number, kind in numbered if kind == "full_attention"],
        "kda_layers": [number for number, kind in numbered if kind == "linear_attention"],
        "num_heads": config.get("linear_num_heads"),
        "head_dim": config.get("linear_head_dim"),
        "short_conv_kernel_size": config.get("linear_conv_kernel_dim"),
    }
    dense = _dense_layers(config)
    config = _absent_filled(config, {"rope_theta": 10_000.0})  # mlx-lm needs one, though no layer rotates.
    return config | {"linear_attn_config": section, "mla_use_nope": True, "first_k_dense_replace": dense}


def _dense_layers(config: _Config) -> int:
    kinds = config.get("mlp_layer_types")
    return kinds.index("sparse") if isinstance(kinds, list) and "sparse" in kinds else 1


def _mimo_v2_flash(config: _Config) -> _Config:
    pattern = config.get("hybrid_layer_pattern")
    names = ("full_attention", "sliding_attention")
    kinds = [names[kind] for kind in pattern] if isinstance(pattern, list) and {*pattern} <= {0, 1} else None
    return _absent_filled(config, {"layer_types": kinds})


def _minimax_m2(config: _Config) -> _Config:
    head = config.get("head_dim")
    return _absent_filled(config, {"rotary_dim": int(head * _portion(config)) if isinstance(head, int) else None})


def _minimax_m3(config: _Config) -> _Config:
    """Return the configuration with the size that is rotated; transformers ignores `rotary_dim`."""
    return config | {"rotary_dim": int(config["head_dim"] * (_portion(config) or 1.0))}


def _portion(config: Mapping[str, Any]) -> float:
    parameters = config.get("rope_parameters")
    portion = parameters.get("partial_rotary_factor") if isinstance(parameters, dict) else None
    return portion if isinstance(portion, int | float) else 1.0


_rules: Mapping[str, Callable[[_Config], _Config]] = {
    "cohere2": _with_period,
    "deepseek_v2": _with_yarn,
    "ernie4_5_moe": _ernie4_5_moe,
    "exaone4": _exaone4,
    "exaone_moe": _exaone_moe,
    "gemma3_text": _with_period,
    "gemma4_text": _gemma4,
    "gpt_bigcode": _gpt_bigcode,
    "gpt_neox": _gpt_neox,
    "granitemoehybrid": _granitemoehybrid,
    "jamba": _jamba,
    "kimi_linear": _kimi_linear,
    "mamba2": _mamba2,
    "minicpm3": _with_yarn,
    "mimo_v2_flash": _mimo_v2_flash,
    "minimax_m2": _minimax_m2,
    "minimax_m3_vl_text": _minimax_m3,
    "solar_open": _solar_open,
}
