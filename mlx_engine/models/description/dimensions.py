"""The dimensions of a network that determine its memory, from its configuration."""

from collections.abc import Mapping

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description import architecture
from mlx_engine.models.description.cache_layout import cache_layout
from mlx_engine.models.description.cache_rules import RULES
from mlx_engine.models.description.description import NetworkShape
from mlx_engine.models.description.layer_cache import LayerCache
from mlx_engine.models.files.safetensors import TensorEntry

_expert_counts = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
_expert_choices = ("num_experts_per_tok", "num_experts_per_token", "moe_top_k", "moe_topk", "top_k_experts", "moe_k")
_context_fields = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")


def context_length(config: Configuration) -> int:
    """Return the context length of the model, in tokens; 0 if it does not declare it."""
    return config.length(*_context_fields)


def expert_counts(config: Configuration) -> tuple[int, int]:
    """Return the number of experts in a layer and of those that each token uses; 0 if there are none.

    Where layers differ, these are the largest numbers.
    """
    mixture = Configuration(config.section("ffn_config"))  # DBRX

    def count(names: tuple[str, ...]) -> int:
        by_layer = (max(config.integers(name), default=0) for name in names)
        return config.integer(*names) or mixture.integer(*names) or max(by_layer)

    return count(_expert_counts), count(_expert_choices)


def cache(config: Configuration, tensors: Mapping[str, TensorEntry]) -> tuple[LayerCache, ...]:
    """Return the layers of the KV cache; a separate module may run the text part.

    `tensors` are those that are loaded; empty if unknown.
    """
    whole = architecture.find_implementation(config.architecture, tuple(config.texts("architectures")))
    candidates = (architecture.find_implementation(config.text_architecture), whole)
    implementations = [candidate for candidate in candidates if candidate]
    modules = [implementation.module for implementation in implementations]
    module = next((name for name in reversed(modules) if name in RULES), next(iter(modules), config.architecture))
    has_windows = any(implementation.has_windows for implementation in implementations)
    return cache_layout(config, tensors, module=module, has_windows=has_windows)


def shape(config: Configuration) -> NetworkShape:
    hidden = config.integer("hidden_size", "n_embd", "d_model", "dim")
    heads = config.integer("num_attention_heads", "n_head", "n_heads", "num_heads")
    feed_forward = config.integer("intermediate_size", "ffn_dim", "n_inner", "block_ff_dim", default=4 * hidden)
    experts, choices = expert_counts(config)
    if experts:
        expert = config.integer("moe_intermediate_size", default=feed_forward)
        feed_forward = expert * max(choices, 1)
    return NetworkShape(
        hidden=hidden,
        feed_forward=feed_forward,
        heads=heads,
        head=config.integer("head_dim", "qk_head_dim") or (hidden // heads if heads else 0),
        vocabulary=config.integer("vocab_size"),
    )
