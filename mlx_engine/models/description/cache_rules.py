"""KV caches of the networks of mlx-lm 0.32.2 whose layers follow a special rule, from the configuration alone.

Each rule yields the caches of the layer with a given index. All other networks follow `cache_layout`.
"""

from collections.abc import Callable, Iterator, Mapping

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description.layer_cache import GROWTH, LayerCache

Rule = Callable[[Configuration, int], Iterator[LayerCache]]


def _full(width: int) -> LayerCache:
    return LayerCache("full", 1, width)


def _window(width: int, window: int) -> LayerCache:
    return LayerCache("window", 1, width, window) if window else _full(width)


def _state(values: int) -> LayerCache:
    return LayerCache("state", 1, 0, 0, values)


def _latent(config: Configuration) -> LayerCache:
    return LayerCache("latent", 1, config.integer("kv_lora_rank") + config.integer("qk_rope_head_dim"))


def _heads(config: Configuration) -> int:
    return config.integer("num_attention_heads", "n_head", "n_heads", "num_heads", default=1)


def _head(config: Configuration) -> int:
    return config.integer("hidden_size", "n_embd", "d_model") // _heads(config)


def _grouped_width(config: Configuration) -> int:
    heads = config.integer("num_key_value_heads", default=_heads(config))
    return 2 * heads * config.integer("head_dim", default=_head(config))


def _baichuan_m1(config: Configuration, index: int) -> Iterator[LayerCache]:
    local = index in config.integers("sliding_window_layers")
    heads = config.integer(*(("num_swa_attention_heads",) if local else ()), default=_heads(config))
    kv_heads = config.integer(*(("num_swa_key_value_heads",) if local else ()), "num_key_value_heads", default=heads)
    width = 2 * kv_heads * (config.integer("hidden_size") // heads)
    yield _state(width)  # The last keys and values before their convolution.
    yield _window(width, config.integer("sliding_window")) if local else _full(width)


def _in_groups(*, is_latent: bool, has_convolutions: bool = False) -> Rule:
    """Return the rule of networks in which the last layer of each group, and those after the groups, attend."""

    def rule(config: Configuration, index: int) -> Iterator[LayerCache]:
        group, layers = config.integer("layer_group_size", default=1), config.integer("num_hidden_layers")
        heads, head = _heads(config), config.integer("head_dim", default=_head(config))
        if (index + 1) % group and index < layers // group * group:
            past = 3 * heads * head * (config.integer("short_conv_kernel_size", default=4) - 1)
            yield _state(heads * head**2 + past * has_convolutions)
        elif is_latent:
            yield _latent(config)
        else:
            yield _full(_grouped_width(config))

    return rule


def _dbrx(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    attention = Configuration(config.section("attn_config"))
    yield _full(2 * attention.integer("kv_n_heads", default=_heads(config)) * _head(config))


def _deepseek_v32(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    latent = _latent(config)
    # A second cache has the keys by which tokens are selected, as keys and as values.
    yield LayerCache("latent", 1, latent.token_numbers + 2 * config.integer("index_head_dim"))


def _deepseek_v41(config: Configuration, index: int) -> Iterator[LayerCache]:
    head, ratios = config.integer("head_dim"), config.integers("compress_ratios")
    yield _window(head, config.integer("sliding_window", default=128))
    ratio = ratios[index] if index < len(ratios) else 0
    if ratio > 0 and index in config.integers("kv_source_layer_ids"):
        compressed = -(-(head + config.integer("index_head_dim")) // ratio)
        yield LayerCache("latent", 1, compressed, 0, 4 * ratio * head)


def _gemma4(config: Configuration, index: int) -> Iterator[LayerCache]:
    kinds = config.texts("layer_types")
    kv_heads, head = config.integer("num_key_value_heads", default=1), config.integer("head_dim", default=256)
    if index < len(kinds) and kinds[index] != "full_attention":
        yield _window(2 * kv_heads * head, config.integer("sliding_window"))
        return
    if config.flag("attention_k_eq_v"):
        kv_heads = config.integer("num_global_key_value_heads", default=kv_heads)
    yield _full(2 * kv_heads * config.integer("global_head_dim", default=max(head, 512)))


def _one_head(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    yield _full(2 * _head(config))


def _every_head(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    yield _full(2 * _heads(config) * _head(config))


def _iquestloopcoder(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    width = _grouped_width(config)
    yield _full(width)
    yield _window(width, config.integer("loop_window_size", default=64))


def _kimi_linear(config: Configuration, index: int) -> Iterator[LayerCache]:
    linear = Configuration(config.section("linear_attn_config"))
    if index + 1 not in linear.integers("kda_layers"):
        yield _latent(config)
        return
    heads, head = linear.integer("num_heads"), linear.integer("head_dim")
    yield _state(heads * head**2 + 3 * heads * head * (linear.integer("short_conv_kernel_size", default=4) - 1))


def _llama4(config: Configuration, index: int) -> Iterator[LayerCache]:
    width = _grouped_width(config)
    chunk = config.integer("attention_chunk_size")
    # Older tokens are dropped only when a cache grows.
    yield _window(width, chunk + GROWTH) if chunk and (index + 1) % 4 else _full(width)


def _longcat_flash(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    yield from (_latent(config),) * 2  # Each layer attends twice.


def _longcat_flash_ngram(config: Configuration, index: int) -> Iterator[LayerCache]:
    if index == 0:  # The tokens before, as 64-bit numbers.
        yield _state(2 * (config.integer("emb_neighbor_num", default=4) - 1))
    yield from _longcat_flash(config, index)


def _mimo_v2_flash(config: Configuration, index: int) -> Iterator[LayerCache]:
    kinds = config.integers("hybrid_layer_pattern")
    local = index < len(kinds) and kinds[index] == 1
    prefix = "swa_" if local else ""
    head = config.integer(f"{prefix}head_dim")
    width = config.integer(f"{prefix}num_key_value_heads") * (
        head + config.integer(f"{prefix}v_head_dim", default=head)
    )
    # `networks.mimo_v2_flash` corrects the window by one token.
    yield _window(width, config.integer("sliding_window_size") + 1) if local else _full(width)


def _minicpm3(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    head = config.integer("qk_nope_head_dim") + config.integer("qk_rope_head_dim")
    yield _full(_heads(config) * (head + _head(config)))


def _minimax_m3(config: Configuration, index: int) -> Iterator[LayerCache]:
    width = _grouped_width(config)
    sparse = Configuration(config.section("sparse_attention_config"))
    marks, kinds = sparse.integers("sparse_attention_freq"), config.texts("layer_types")
    selects = kinds[index] != "full_attention" if index < len(kinds) else marks[index] if index < len(marks) else True
    index_head = sparse.integer("sparse_index_dim") or config.integer("index_head_dim")
    yield _full(width + index_head * bool(selects))


def _nanbeige(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    width = _grouped_width(config)
    yield from (_full(width),) * config.integer("num_loops", default=1)


def _openelm(config: Configuration, index: int) -> Iterator[LayerCache]:
    heads = config.integers("num_kv_heads")
    yield _full(2 * (heads[index] if index < len(heads) else 0) * config.integer("head_dim"))


def _plamo2(config: Configuration, index: int) -> Iterator[LayerCache]:
    heads, head = _heads(config), config.integer("hidden_size_per_head", default=128)
    step, layers = config.integer("mamba_step", default=2), config.integer("num_hidden_layers")
    attends = index == layers - 1 if layers <= step // 2 else index % step == step // 2
    if config.flag("mamba_enabled", default=True) and not attends:
        past = config.integer("mamba_d_conv", default=4) - 1
        yield _state(heads * head * (past + config.integer("mamba_d_state", default=64)))
    else:
        yield _full(2 * config.integer("num_key_value_heads", default=heads) * head)


def _recurrent_gemma(config: Configuration, index: int) -> Iterator[LayerCache]:
    kinds = config.texts("block_types") or config.texts("_block_types")
    if kinds and kinds[index % len(kinds)] == "recurrent":
        width = config.integer("lru_width", default=config.integer("hidden_size"))
        yield _state(width * config.integer("conv1d_width", default=4))  # With the state itself.
    else:
        yield _window(2 * _head(config), config.integer("attention_window_size"))  # All heads share one key.


def _rwkv7(config: Configuration, index: int) -> Iterator[LayerCache]:
    del index
    hidden = config.integer("hidden_size")
    yield _state(hidden * (2 + config.integer("head_dim", default=64)))


def _step3p5(config: Configuration, index: int) -> Iterator[LayerCache]:
    kinds = config.texts("layer_types")
    local = kinds[index] == "sliding_attention" if index < len(kinds) else not kinds and index % 2 == 0
    other = config.section("attention_other_setting") if local else {}
    groups = Configuration(other).integer("num_attention_groups") or config.integer("num_attention_groups", default=1)
    width = 2 * groups * config.integer("head_dim", default=128)
    yield _window(width, config.integer("sliding_window", default=512)) if local else _full(width)


RULES: Mapping[str, Rule] = {
    "baichuan_m1": _baichuan_m1,
    "bailing_hybrid": _in_groups(is_latent=True),
    "bailing_moe_linear": _in_groups(is_latent=False),
    "bailing_moe_v3": _in_groups(is_latent=True, has_convolutions=True),
    "dbrx": _dbrx,
    "deepseek_v32": _deepseek_v32,
    "deepseek_v41": _deepseek_v41,
    "gemma4_text": _gemma4,
    "glm_moe_dsa": _deepseek_v32,
    "gpt2": _every_head,
    "gpt_bigcode": _one_head,
    "gpt_neox": _every_head,
    "gptj": _every_head,
    "iquestloopcoder": _iquestloopcoder,
    "kimi_k3": _kimi_linear,
    "kimi_linear": _kimi_linear,
    "llama4": _llama4,
    "longcat_flash": _longcat_flash,
    "longcat_flash_ngram": _longcat_flash_ngram,
    "mimo_v2_flash": _mimo_v2_flash,
    "minicpm3": _minicpm3,
    "minimax_m3_vl": _minimax_m3,
    "nanbeige": _nanbeige,
    "openelm": _openelm,
    "plamo2": _plamo2,
    "recurrent_gemma": _recurrent_gemma,
    "rwkv7": _rwkv7,
    "step3p5": _step3p5,
}
"""By the name of mlx-lm's module."""
