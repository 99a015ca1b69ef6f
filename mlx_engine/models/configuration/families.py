"""Fields that transformers derives from others, and names that differ between transformers and mlx-lm, by family."""

from collections.abc import Callable
from typing import Any

_Config = dict[str, Any]


def complete(config: _Config) -> _Config:
    """Return the configuration of a text model with the fields that its family derives from others."""
    config = _with_head_size(config)
    architecture = config.get("model_type")
    rule = _rules.get(architecture) if isinstance(architecture, str) else None
    return rule(config) if rule else config


def _with_head_size(config: _Config) -> _Config:
    hidden, heads = config.get("hidden_size"), config.get("num_attention_heads")
    if config.get("head_dim") or config.get("qk_rope_head_dim") or not isinstance(hidden, int):
        return config
    return {**config, "head_dim": hidden // heads} if isinstance(heads, int) and heads > 0 else config


def _qwen3_moe(config: _Config) -> _Config:
    return {**config, "mlp_only_layers": config.get("mlp_only_layers") or []}


_rules: dict[str, Callable[[_Config], _Config]] = {"qwen3_moe": _qwen3_moe}
