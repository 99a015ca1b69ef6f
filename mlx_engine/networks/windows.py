"""Sliding windows for networks of mlx-lm that ignore them.

WORKAROUND(mlx-lm 0.32.2): gemma2, mistral, mixtral, phi3, phimoe, qwen2, qwen2_moe, qwen3, qwen3_moe and starcoder2 let
every token attend to all earlier ones. Their layers keep all keys and values, so that a conversation can be rewound and
the KV cache quantized; once the context is longer than the window, a mask hides the older ones.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

from mlx_lm.models.base import create_causal_mask
from mlx_lm.models.cache import KVCache, make_prompt_cache

from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.windows import layer_windows

_create_mask: Any = create_causal_mask  # has no types
_attention_names = ("self_attn", "attention", "attn")


def correct_windows(network: Any, config: Mapping[str, Any]) -> None:
    """Give the layers of `network` the windows of the normalized configuration that it lacks."""
    caches = make_prompt_cache(network)
    windows = layer_windows(text_section(config) or config, len(network.layers))
    if windows is None or len(caches) != len(windows):
        return
    for layer, window, cache in zip(network.layers, windows, caches, strict=True):
        attention = next((layer[name] for name in _attention_names if name in layer), None)
        if window and attention is not None and type(cache) is KVCache:
            kind: Any = type(attention)
            attention.__class__ = _with_window(kind)
            attention._window = window


@functools.cache
def _with_window(kind: Any) -> Any:
    """Return a class of attention that sees the last `_window` tokens."""
    names = list(inspect.signature(kind.__call__).parameters)[2:]  # After the layer itself and its inputs.

    def call(self: Any, inputs: Any, *values: Any, **named: Any) -> Any:
        arguments = dict(zip(names, values, strict=False)) | named
        cache = arguments.get("cache")
        offset, tokens = (cache.offset if cache is not None else 0), inputs.shape[1]
        if offset + tokens > self._window:
            arguments["mask"] = _create_mask(tokens, offset, window_size=self._window)
        return kind.__call__(self, inputs, **arguments)

    return type(kind.__name__, (kind,), {"__call__": call})
