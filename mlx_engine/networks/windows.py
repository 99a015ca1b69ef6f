"""Sliding windows for networks of mlx-lm that ignore them.

WORKAROUND(mlx-lm 0.32.2): gemma2, mistral, mixtral, phi3, phimoe, qwen2, qwen2_moe, qwen3, qwen3_moe and starcoder2 let
every token attend to all earlier ones. Their layers keep all keys and values, so that a conversation can be rewound and
the KV cache quantized, but attend only to those within the window.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models.base import create_causal_mask
from mlx_lm.models.cache import KVCache, make_prompt_cache

from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.windows import layer_windows

_create_mask: Any = create_causal_mask  # has no types
_attention_names = ("self_attn", "attention", "attn")


def correct_windows(network: Any, config: Mapping[str, Any]) -> None:
    """Give the layers of `network` the windows of the normalized configuration that it lacks."""
    text, caches = text_section(config) or config, make_prompt_cache(network)
    windows, longest = layer_windows(text, len(network.layers)), text.get("max_position_embeddings")
    if windows is None or len(caches) != len(windows):
        return
    if isinstance(longest, int):  # A window of the whole context hides nothing.
        windows = tuple(window if window < longest else 0 for window in windows)
    for layer, window, cache in zip(network.layers, windows, caches, strict=True):
        attention = next((layer[name] for name in _attention_names if name in layer), None)
        if window and attention is not None and type(cache) is KVCache:
            kind: Any = type(attention)
            attention.__class__ = _with_window(kind)
            attention._window = window
            if hasattr(attention, "use_sliding_window"):
                attention.use_sliding_window = True  # Cohere 2 rotates only in such layers.


class _Recent:
    """A layer's cache of which attention sees only the window of the tokens being read."""

    def __init__(self, cache: Any, window: int) -> None:
        self._cache = cache
        self._window = window

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def update_and_fetch(self, keys: mx.array, values: mx.array) -> Any:
        visible = self._window - 1 + keys.shape[-2]
        return tree_map(lambda part: part[..., -visible:, :], self._cache.update_and_fetch(keys, values))


@functools.cache
def _with_window(kind: Any) -> Any:
    """Return a class of attention in which a token sees the last `_window` tokens, itself included."""
    names = list(inspect.signature(kind.__call__).parameters)[2:]  # After the layer itself and its inputs.

    def call(self: Any, inputs: Any, *values: Any, **named: Any) -> Any:
        arguments = dict(zip(names, values, strict=False)) | named
        cache = arguments.get("cache")
        offset, tokens = (cache.offset if cache is not None else 0), inputs.shape[1]
        if offset + tokens > self._window:
            arguments["cache"] = None if cache is None else _Recent(cache, self._window)
            arguments["mask"] = _mask(tokens, offset, self._window)
        return kind.__call__(self, inputs, **arguments)

    return type(kind.__name__, (kind,), {"__call__": call})


def _mask(tokens: int, offset: int, window: int) -> Any:
    """Return the mask over the keys in sight; None if a single token sees all of them."""
    return None if tokens == 1 else _create_mask(tokens, min(offset, window - 1), window_size=window)
