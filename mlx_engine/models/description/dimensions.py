"""How wide and how deep a network is, by its configuration, as far as its memory depends on it."""

from collections.abc import Mapping

from mlx_engine.models.description import architecture
from mlx_engine.models.description.cache_layout import LayerCache, cache_layout
from mlx_engine.models.description.description import NetworkShape
from mlx_engine.models.files.configuration import Configuration
from mlx_engine.models.files.safetensors import TensorEntry

EXPERT_COUNTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
EXPERT_CHOICES = ("num_experts_per_tok", "num_experts_per_token", "moe_top_k", "moe_topk", "top_k_experts", "moe_k")
_context_fields = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")


def context_length(config: Configuration) -> int:
    """Return the longest text the model takes, in tokens; 0 if it does not say."""
    return config.length(*_context_fields)


def cache(config: Configuration, tensors: Mapping[str, TensorEntry]) -> tuple[LayerCache, ...]:
    """Return what the model keeps; the part about text may be run by a module of its own.

    `tensors` are those that are loaded, or none if they are not known.
    """
    whole = architecture.find_implementation(config.architecture, tuple(config.texts("architectures")))
    found = [one for one in (architecture.find_implementation(config.text_architecture), whole) if one]
    module = found[0].module if found else config.architecture
    return cache_layout(config, tensors, module=module, has_windows=any(one.has_windows for one in found))


def shape(config: Configuration) -> NetworkShape:
    hidden = config.integer("hidden_size", "n_embd", "d_model", "dim")
    heads = config.integer("num_attention_heads", "n_head", "n_heads", "num_heads")
    feed_forward = config.integer("intermediate_size", "ffn_dim", "n_inner", "block_ff_dim", default=4 * hidden)
    if config.integer(*EXPERT_COUNTS):
        expert = config.integer("moe_intermediate_size", default=feed_forward)
        feed_forward = expert * config.integer(*EXPERT_CHOICES, default=1)
    return NetworkShape(
        hidden=hidden,
        feed_forward=feed_forward,
        heads=heads,
        head=config.integer("head_dim", "qk_head_dim") or (hidden // heads if heads else 0),
        vocabulary=config.integer("vocab_size"),
    )
