"""The sliding windows of the layers, as transformers derives them from a configuration."""

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

_everywhere = frozenset({"ministral3", "mistral", "mixtral", "phi3", "phimoe", "qwen3_moe", "starcoder2"})
"""Families in which either all layers have the window or none has."""
_gated = frozenset({"qwen2", "qwen2_moe", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3", "qwen3_moe", "smollm3"})
"""Families whose window applies only if `use_sliding_window` is true."""
_last_layers = frozenset({"dots1", "qwen2", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3"})
"""Families in which the layers from `max_window_layers` on have the window."""
_periods = {
    "afmoe": 4,
    "cohere2": 4,
    "exaone4": 4,
    "exaone_moe": 4,
    "gemma2": 2,
    "gemma3_text": 6,
    "gpt_oss": 2,
    "olmo3": 4,
}
"""The period of layers without a window, where config.json does not state it."""
_most_layers = 1000
_windowed, _full = "sliding_attention", "full_attention"


def layer_windows(config: Mapping[str, Any], layers: int) -> tuple[int, ...] | None:
    """Return the window of each layer in tokens, 0 for none; None if transformers' rule for the family is unknown.

    A token sees the last tokens of this number, itself included. `config` is the normalized section of the text part.
    """
    if not 0 < layers <= _most_layers:
        return None
    family = str(config.get("model_type"))
    window = config.get("sliding_window")
    if not isinstance(window, int) or window <= 0 or (family in _gated and not config.get("use_sliding_window")):
        return (0,) * layers if family in _everywhere | _gated | _last_layers | _periods.keys() else None
    if family in _everywhere:
        return (window,) * layers
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and len(kinds) == layers and {*kinds} <= {_windowed, _full}:
        return tuple(window if kind == _windowed else 0 for kind in kinds)
    return _derived(family, config, window, layers)


def layer_types(config: Mapping[str, Any]) -> list[str] | None:
    """Return transformers' names of the layers; None for families that do not mix layers with and without a window.

    `config` is the normalized section of the text part.
    """
    layers = config.get("num_hidden_layers")
    if config.get("model_type") in _everywhere or not isinstance(layers, int):
        return None
    windows = layer_windows(config, layers)
    return [_windowed if window else _full for window in windows] if windows and any(windows) else None


def _derived(family: str, config: Mapping[str, Any], window: int, layers: int) -> tuple[int, ...] | None:
    if family in _last_layers:
        start = config.get("max_window_layers")
        return tuple(window if index >= (start if isinstance(start, int) else 0) else 0 for index in range(layers))
    if family == "qwen2_moe":
        start = config.get("max_window_layers") or 0
        return tuple(window if index % 2 == 0 and index < start else 0 for index in range(layers))
    if family == "smollm3":
        return _without_rotation(config, window, layers)
    if family not in _periods:
        return None
    pattern = config.get("sliding_window_pattern", config.get("global_attn_every_n_layers"))
    if isinstance(pattern, str) and pattern:
        return tuple(window if kind == "L" else 0 for kind in islice(cycle(pattern), layers))
    return _periodic(window, pattern if isinstance(pattern, int) and pattern > 0 else _periods[family], layers)


def _without_rotation(config: Mapping[str, Any], window: int, layers: int) -> tuple[int, ...]:
    """Return windows for the layers that do not encode positions."""
    rotated = config.get("no_rope_layers")
    if isinstance(rotated, list) and len(rotated) == layers:
        return tuple(0 if is_rotated else window for is_rotated in rotated)
    interval = config.get("no_rope_layer_interval")
    interval = interval if isinstance(interval, int) and interval > 0 else 4
    return tuple(0 if (index + 1) % interval else window for index in range(layers))


def _periodic(window: int, period: int, layers: int) -> tuple[int, ...]:
    return tuple(window if (index + 1) % period else 0 for index in range(layers))


def is_periodic(windows: Sequence[int], period: int) -> bool:
    """Return whether every `period`-th layer, and no other, has no window."""
    return all(bool(window) == bool((index + 1) % period) for index, window in enumerate(windows))
