"""The sliding windows of the layers, as transformers derives them from a configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

_everywhere = frozenset({"ministral3", "mistral", "mixtral", "phi3", "phimoe", "qwen3_moe", "starcoder2"})
"""Families in which either all layers have the window or none has."""
_gated = frozenset({"dots1", "qwen2", "qwen2_moe", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3", "qwen3_moe", "smollm3"})
"""Families whose window applies only if `use_sliding_window` is true."""
_last_layers = frozenset({"dots1", "qwen2", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3"})
"""Families in which the layers from `max_window_layers` on have the window."""
_periods = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4, "olmo3": 4, "gpt_oss": 2, "exaone4": 4}
"""The period of layers without a window, where config.json does not state it."""


def layer_windows(config: Mapping[str, Any], layers: int) -> tuple[int, ...] | None:
    """Return the window of each layer in tokens, 0 for none; None if transformers' rule for the family is not known.

    `config` is the normalized section of the text part.
    """
    family = str(config.get("model_type"))
    window = config.get("sliding_window")
    if not isinstance(window, int) or window <= 0 or (family in _gated and not config.get("use_sliding_window")):
        return (0,) * layers if family in _everywhere | _gated | _periods.keys() else None
    if family in _everywhere:
        return (window,) * layers
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and len(kinds) == layers and {*kinds} <= {"sliding_attention", "full_attention"}:
        return tuple(window if kind == "sliding_attention" else 0 for kind in kinds)
    return _derived(family, config, window, layers)


def _derived(family: str, config: Mapping[str, Any], window: int, layers: int) -> tuple[int, ...] | None:
    if family in _last_layers:
        start = config.get("max_window_layers")
        return tuple(window if index >= (start if isinstance(start, int) else 0) else 0 for index in range(layers))
    if family == "qwen2_moe":
        start = config.get("max_window_layers") or 0
        return tuple(window if index % 2 == 0 and index < start else 0 for index in range(layers))
    if family not in _periods:
        return None
    period = config.get("sliding_window_pattern")
    return _periodic(window, period if isinstance(period, int) and period > 0 else _periods[family], layers)


def _periodic(window: int, period: int, layers: int) -> tuple[int, ...]:
    return tuple(window if (index + 1) % period else 0 for index in range(layers))


def is_periodic(windows: Sequence[int], period: int) -> bool:
    """Return whether every `period`-th layer, and no other, has no window."""
    return all(bool(window) == bool((index + 1) % period) for index, window in enumerate(windows))
