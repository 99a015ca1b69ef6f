"""The KV cache of a model: for each kind of layer, the number of values it stores.

Widths come from the shapes of the projections, or else from config.json; windows are those that mlx-lm 0.32.2 derives
from config.json. A layer of unknown kind counts as storing every token, so the estimate is never too low.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description.bit_map import LAYER
from mlx_engine.models.description.cache_rules import RULES
from mlx_engine.models.description.layer_cache import LayerCache, LayerKind
from mlx_engine.models.description.recurrent_state import configured_state_values, state_values
from mlx_engine.models.files.safetensors import TensorEntry

_layer_limit = 4096
_layer_counts = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_transformer_layers")
_shared_layers = ("num_kv_shared_layers", "num_kv_reuse_layers")
# The key projection and its value projection; without the latter, keys serve as values.
_projections = {
    "self_attn.k_proj.weight": "self_attn.v_proj.weight",
    "attention.k_proj.weight": "attention.v_proj.weight",
    "attn.k_proj.weight": "attn.v_proj.weight",
    "mixer.k_proj.weight": "mixer.v_proj.weight",
    "attention.wk.weight": "attention.wv.weight",
}
_latent = "kv_a_proj_with_mqa.weight"
_recognizable = (*_projections, _latent, "A_log", "conv1d.weight", "conv.weight")
_attention = re.compile(r"(?:^|\.)(?:\w*_)?(?:attn|attention)\.")
# Models with DeepSeek's attention that cache the unpacked keys and values, not the latent vector.
_unpacking = frozenset({"deepseek_v2", "youtu_llm"})
_window_names = ("sliding_window", "sliding_window_size", "window_size")
# The period of layers with full attention where config.json may omit it.
_patterns = {"gemma3_text": 6, "cohere2": 4, "plamo3": 8, "muse_glimmer": 4}
# Networks of recurrent layers only, and those with both attention and a state in each layer.
_recurrent = frozenset({"mamba", "mamba2"})
_recurrent_too = frozenset({"falcon_h1"})


def cache_layout(
    config: Configuration, tensors: Mapping[str, TensorEntry], *, module: str, has_windows: bool
) -> tuple[LayerCache, ...]:
    """Return the cache of a model, its layers counted by kind. `module` is mlx-lm's for the text part.

    `tensors` are those that mlx-lm loads; if empty, everything comes from `config`.
    """
    layers = _tensors_by_layer(tensors)
    count = min(config.integer(*_layer_counts) or len(layers), _layer_limit)
    count -= config.integer(*_shared_layers)  # The last layers of some models reuse the caches of earlier ones.
    if rule := RULES.get(module):
        return _counted(cache for index in range(count) for cache in rule(config, index))
    windows = _windows(config, module, count) if has_windows else {}
    if not any(_is_recognizable(part) for part in layers.values()):
        layers = {}  # The configuration decides.
    return _counted(
        cache
        for index in range(count)
        for cache in _layer(config, index, layers.get(index, {}), windows.get(index, 0), module)
    )


def _counted(caches: Iterable[LayerCache]) -> tuple[LayerCache, ...]:
    return tuple(replace(cache, layers=times) for cache, times in Counter(caches).items())


def _tensors_by_layer(tensors: Mapping[str, TensorEntry]) -> dict[int, dict[str, TensorEntry]]:
    layers: dict[int, dict[str, TensorEntry]] = {}
    for name, tensor in tensors.items():
        if match := LAYER.search(name):
            layers.setdefault(int(match[1]), {})[name[match.end() :]] = tensor
    return layers


def _layer(
    config: Configuration, index: int, tensors: Mapping[str, TensorEntry], window: int, module: str
) -> Iterator[LayerCache]:
    fixed = state_values(config, tensors) if tensors else _configured_state(config, index, module)
    if fixed:
        yield LayerCache("state", 1, 0, 0, fixed)
    if not tensors and (module in _recurrent or not _has_attention(config, index)):
        return
    width = _width(config, tensors, module, has_state=bool(fixed))
    if width:
        yield LayerCache(_kind(config, tensors, window, module), 1, width, window)


def _is_recognizable(tensors: Mapping[str, TensorEntry]) -> bool:
    """Return whether the names of a layer's tensors show what it stores."""
    return any(name.endswith(_recognizable) or _attention.search(name) for name in tensors)


def _configured_state(config: Configuration, index: int, module: str) -> int:
    letters = config.text("hybrid_override_pattern")
    is_recurrent = letters[index : index + 1] == "M" if letters else not _has_attention(config, index)
    return configured_state_values(config) if is_recurrent or module in _recurrent | _recurrent_too else 0


def _has_attention(config: Configuration, index: int) -> bool:
    """Return, from the configuration alone, whether a layer stores tokens; other layers store a small state."""
    types, letters = config.texts("layer_types"), config.text("hybrid_override_pattern")
    if types:
        return index >= len(types) or ("attention" in types[index] and "linear" not in types[index])
    if letters:
        return letters[index : index + 1] in ("*", "")
    if period := config.integer("attn_layer_period"):
        return index % period == config.integer("attn_layer_offset")
    return (index + 1) % config.integer("full_attention_interval", default=1) == 0


def _kind(config: Configuration, tensors: Mapping[str, TensorEntry], window: int, module: str) -> LayerKind:
    if window:
        return "window"
    is_latent = any(name.endswith(_latent) for name in tensors) if tensors else config.integer("kv_lora_rank") > 0
    return "latent" if is_latent and module not in _unpacking else "full"


def _width(config: Configuration, tensors: Mapping[str, TensorEntry], module: str, *, has_state: bool) -> int:
    """Return the number of values that a layer stores per token, keys and values together."""
    if not tensors and (rank := config.integer("kv_lora_rank")):
        return _unpacked_width(config) if module in _unpacking else rank + config.integer("qk_rope_head_dim")
    for name, tensor in tensors.items():
        if name.endswith(_latent):
            return _unpacked_width(config) if module in _unpacking else _rows(tensor) + _indexer_width(tensors)
    for key_name, value_name in _projections.items():
        if keys := tensors.get(key_name):
            return _rows(keys) + _rows(tensors.get(value_name, keys)) + _indexer_width(tensors)
    is_unknown = any(_attention.search(name) for name in tensors) and not has_state
    return _width_from_config(config) if is_unknown or not tensors else 0


def _rows(projection: TensorEntry) -> int:
    return projection.shape[0] if projection.shape else 0


def _indexer_width(tensors: Mapping[str, TensorEntry]) -> int:
    """Return the width of the keys by which sparse attention selects its tokens."""
    return sum(_rows(tensor) for name, tensor in tensors.items() if name.endswith("indexer.wk.weight"))


def _unpacked_width(config: Configuration) -> int:
    head = config.integer("qk_nope_head_dim") + config.integer("qk_rope_head_dim") + config.integer("v_head_dim")
    return config.integer("num_attention_heads") * head


def _width_from_config(config: Configuration) -> int:
    heads = config.integer("num_attention_heads", "n_head", "n_heads", "num_heads")
    hidden = config.integer("hidden_size", "n_embd", "d_model", "model_dim", "hidden_dim")
    kv_heads = config.integer("num_key_value_heads", "num_kv_heads", "n_kv_heads", default=heads)
    head = config.integer("head_dim", "attention_head_dim") or (hidden // heads if heads else 0)
    return 2 * kv_heads * head


def _windows(config: Configuration, module: str, layers: int) -> dict[int, int]:
    """Return the window, in tokens, of each layer that has one."""
    size = config.integer(*_window_names)
    return {index: size for index in range(layers) if size and _is_local(config, module, index)}


def _is_local(config: Configuration, module: str, index: int) -> bool:
    types = config.texts("layer_types")
    marks = config.text("sliding_window_pattern")
    period = config.integer("sliding_window_pattern", default=_patterns.get(module, 0))
    if module in ("gemma3_text", "cohere2"):
        # Only these two modules of mlx-lm use the period even if the types are listed.
        return (index + 1) % period != 0
    if types:
        return index < len(types) and types[index] not in ("full_attention", "attention")
    if marks:
        return marks[index % len(marks)] == "L"
    return period > 0 and (index + 1) % period != 0
