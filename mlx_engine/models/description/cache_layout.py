"""The KV cache of a model: for each kind of layer, the number of values it stores.

Widths come from the shapes of the projections, or else from config.json; windows are those that mlx-lm 0.32.2 derives
from config.json. A layer of unknown kind counts as storing every token, so the estimate is never too low.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description.bit_map import LAYER
from mlx_engine.models.files.safetensors import TensorEntry

LayerKind = Literal["full", "window", "latent", "state"]
"""Stores every token, the most recent tokens, every token in compressed form, or a state that does not grow."""
GROWTH = 256
"""Tokens by which mlx-lm's caches grow at a time."""

_layer_limit = 4096
_layer_counts = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
# The key projection and its value projection; without the latter, keys serve as values.
_projections = {
    "self_attn.k_proj.weight": "self_attn.v_proj.weight",
    "attention.k_proj.weight": "attention.v_proj.weight",
    "attn.k_proj.weight": "attn.v_proj.weight",
    "mixer.k_proj.weight": "mixer.v_proj.weight",
    "attention.wk.weight": "attention.wv.weight",
}
_latent = "kv_a_proj_with_mqa.weight"
# Models with DeepSeek's attention that cache the unpacked keys and values, not the latent vector.
_unpacking = frozenset({"deepseek_v2", "minicpm3", "youtu_llm"})
_window_names = ("sliding_window", "sliding_window_size", "attention_window_size", "attention_chunk_size")
# The period of layers with full attention where config.json may omit it.
_patterns = {"gemma3_text": 6, "cohere2": 4, "plamo3": 8, "llama4": 4}
_convolutions = ("conv1d.weight", "conv.weight", "conv_1d.weight")


@dataclass(frozen=True, slots=True)
class LayerCache:
    """A number of `layers` of the same kind and size.

    Each stores `token_numbers` values per token, of at most `window` tokens if that is not 0, and `fixed_numbers`
    float32 values regardless of the length.
    """

    kind: LayerKind
    layers: int
    token_numbers: int
    window: int = 0
    fixed_numbers: int = 0

    def reach(self, tokens: int) -> int:
        """Return the number of tokens that these layers allocate for a context of `tokens`."""
        allocated = -(-tokens // GROWTH) * GROWTH
        return min(allocated, self.window) if self.window else allocated

    def size_bytes(self, tokens: int, number_bytes: float) -> int:
        """Return the bytes that these layers allocate for `tokens`, at `number_bytes` per value."""
        return int(self.layers * (self.token_numbers * self.reach(tokens) * number_bytes + 4 * self.fixed_numbers))


def cache_bytes(layout: Sequence[LayerCache], tokens: int, number_bytes: float = 2) -> int:
    """Return the bytes of the KV cache for a context of `tokens`."""
    return sum(layers.size_bytes(tokens, number_bytes) for layers in layout)


def bytes_per_token(layout: Sequence[LayerCache], number_bytes: float = 2) -> int:
    """Return the bytes of each additional token once all windows are full."""
    return int(sum(entry.layers * entry.token_numbers for entry in layout if not entry.window) * number_bytes)


def cache_layout(
    config: Configuration, tensors: Mapping[str, TensorEntry], *, module: str, has_windows: bool
) -> tuple[LayerCache, ...]:
    """Return the cache of a model, its layers counted by kind. `module` is mlx-lm's for the text part.

    `tensors` are those that mlx-lm loads; if empty, everything comes from `config`.
    """
    layers = _tensors_by_layer(tensors)
    count = min(config.integer(*_layer_counts) or len(layers), _layer_limit)
    count -= config.integer("num_kv_shared_layers")  # The last layers of some models reuse the caches of earlier ones.
    windows = _windows(config, module, count) if has_windows else {}
    counts: Counter[LayerCache] = Counter()
    for index in range(count):
        for cache in _layer(config, index, layers.get(index, {}), windows.get(index, 0), module):
            counts[cache] += 1
    return tuple(
        LayerCache(cache.kind, times, cache.token_numbers, cache.window, cache.fixed_numbers)
        for cache, times in counts.items()
    )


def _tensors_by_layer(tensors: Mapping[str, TensorEntry]) -> dict[int, dict[str, TensorEntry]]:
    layers: dict[int, dict[str, TensorEntry]] = {}
    for name, tensor in tensors.items():
        if match := LAYER.search(name):
            layers.setdefault(int(match[1]), {})[name[match.end() :]] = tensor
    return layers


def _layer(
    config: Configuration, index: int, tensors: Mapping[str, TensorEntry], window: int, module: str
) -> Iterator[LayerCache]:
    fixed = _state_values(config, tensors)
    if fixed:
        yield LayerCache("state", 1, 0, 0, fixed)
    if not tensors and not _has_attention(config, index):
        return
    width = _width(config, tensors, module, has_state=bool(fixed))
    if width:
        yield LayerCache(_kind(config, tensors, window, module), 1, width, window)


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
    has_attention = any("attn" in name or "attention" in name for name in tensors)
    return _width_from_config(config) if (has_attention and not has_state) or not tensors else 0


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
    hidden = config.integer("hidden_size", "n_embd", "d_model", "model_dim")
    kv_heads = config.integer("num_key_value_heads", "num_kv_heads", "n_kv_heads", default=heads)
    head = config.integer("head_dim", "attention_head_dim") or (hidden // heads if heads else 0)
    return 2 * kv_heads * head


def _windows(config: Configuration, module: str, layers: int) -> dict[int, int]:
    """Return the window, in tokens, of each layer that has one."""
    size = config.integer(*_window_names)
    return {index: size for index in range(layers) if size and _is_local(config, module, index)}


def _is_local(config: Configuration, module: str, index: int) -> bool:
    types = config.texts("layer_types")
    kinds = config.integers("hybrid_layer_pattern")
    marks = config.text("sliding_window_pattern")
    period = config.integer("sliding_window_pattern", default=_patterns.get(module, 0))
    if module in ("gemma3_text", "cohere2"):
        # Only these two modules of mlx-lm use the period even if the types are listed.
        return (index + 1) % period != 0
    if types:
        return index < len(types) and types[index] not in ("full_attention", "attention")
    if kinds:
        return index < len(kinds) and kinds[index] == 1
    if marks:
        return marks[index % len(marks)] == "L"
    return module == "recurrent_gemma" or (period > 0 and (index + 1) % period != 0)


def _state_values(config: Configuration, tensors: Mapping[str, TensorEntry]) -> int:
    """Return the number of values in the state of a recurrent layer; 0 for other layers."""
    convolutions = [tensor for name, tensor in tensors.items() if name.endswith(_convolutions)]
    decay = next((tensor for name, tensor in tensors.items() if name.endswith("A_log")), None)
    # A convolution over k tokens stores the previous k - 1; its weights are [channels, k] in some order of dimensions.
    past = sum(tensor.elements - max(tensor.shape) for tensor in convolutions if tensor.shape)
    if decay is None:
        return past + (config.integer("lru_width") if any("rg_lru" in name for name in tensors) else 0)
    return past + _recurrent_values(config, decay)


def _recurrent_values(config: Configuration, decay: TensorEntry) -> int:
    if value_heads := config.integer("linear_num_value_heads"):  # Gated delta rule, as in Qwen3-Next.
        return value_heads * config.integer("linear_value_head_dim") * config.integer("linear_key_head_dim")
    if kimi := config.section("linear_attn_config"):
        linear = Configuration(kimi)
        return linear.integer("num_heads") * linear.integer("head_dim") ** 2
    if len(decay.shape) == 2:  # Mamba: [channels, state size].
        return decay.elements
    state = config.integer("state_size", "mamba_d_state", "ssm_state_size", "d_state")
    heads = config.integer("mamba_num_heads", "mamba_n_heads", default=decay.elements)  # Mamba 2.
    head = config.integer("mamba_head_dim", "mamba_d_head", "head_dim")
    return heads * head * state
