"""Models that Facet runs as their reference does, and stock mlx-lm 0.32.2 does not.

Decided from config.json, so that the library can say so. The corrections themselves are in `mlx_engine.networks`.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.rotation import rotation_of
from mlx_engine.models.configuration.windows import layer_windows

_ignores_windows = frozenset(
    {"gemma2", "mistral", "mixtral", "phi3", "phimoe", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "starcoder2"}
)
_ignores_yarn = frozenset({"glm4_moe", "qwen3_moe", "solar_open"})
_corrected: Mapping[str, str] = {
    "ernie4_5_moe": "it chooses experts without their corrections",
    "mimo_v2_flash": "its sliding window lacks a token",
    "glm4_moe_lite": "it normalizes compressed queries and keys with another epsilon",
    "jamba": "it weights the experts by their share of the chosen ones instead of all",
}
_corrected_fields: Mapping[str, Mapping[str, str]] = {
    "falcon_h1": {"key_multiplier": "it ignores key_multiplier"},
    "minicpm": {"tie_word_embeddings": "it doesn't scale the logits"},
    "minicpm3": {"tie_word_embeddings": "it doesn't scale the logits"},
    "qwen2_moe": {
        "norm_topk_prob": "it ignores norm_topk_prob",
        "mlp_only_layers": "it ignores mlp_only_layers",
    },
}


_groups: Mapping[str, Mapping[str, str]] = {
    "falcon_h1": {"mamba_n_groups": "it normalizes all groups of its Mamba layers together"},
    "granitemoehybrid": {"mamba_n_groups": "it normalizes all groups of its Mamba layers together"},
    "mamba2": {"n_groups": "it normalizes all groups of its layers together"},
}
_expert_groups = "it can choose experts outside the best groups"


def deviations(published: Mapping[str, Any], config: Mapping[str, Any], network_names: Set[str]) -> tuple[str, ...]:
    """Return a sentence with the reasons why stock mlx-lm computes something else, if there are any.

    Args:
        published: the contents of config.json.
        config: its normalized form.
        network_names: all names in the source of mlx-lm's network.
    """
    text = text_section(config) or config
    family = str(text.get("model_type"))
    stated = text_section(published) or published
    reasons = [*_rotation(stated, text, family, network_names), *_windows(stated, text, family)]
    reasons += [_corrected[family]] if family in _corrected else []
    reasons += [reason for name, reason in _corrected_fields.get(family, {}).items() if text.get(name)]
    reasons += [reason for name, reason in _groups.get(family, {}).items() if (text.get(name) or 1) > 1]
    reasons += [_expert_groups] if (text.get("n_group") or 1) > 1 else []
    return (f"Stock mlx-lm computes this model differently: {'; '.join(reasons)}.",) if reasons else ()


def _rotation(
    published: Mapping[str, Any], text: Mapping[str, Any], family: str, network_names: Set[str]
) -> Iterator[str]:
    has_older_names = any(name in published for name in ("rope_theta", "rotary_emb_base"))
    if "rope_parameters" in published and not has_older_names and "rope_parameters" not in network_names:
        yield "it doesn't read rope_parameters, so it rotates by the default base"
    settings = rotation_of(text) or {}
    kind = settings.get("rope_type")
    if kind == "longrope":
        yield "it uses the factors for long contexts for short ones too"
    elif kind == "yarn" and settings.get("truncate") is False:
        yield "it ignores truncate in rope_scaling"
    elif kind == "yarn" and family in _ignores_yarn:
        yield "it ignores rope_scaling"
    if family == "glm" and (settings.get("partial_rotary_factor") or 1) < 1:
        yield "it ignores partial_rotary_factor"


def _windows(stated: Mapping[str, Any], text: Mapping[str, Any], family: str) -> Iterator[str]:
    layers, context = text.get("num_hidden_layers"), text.get("max_position_embeddings")
    is_ignored = family in _ignores_windows or (family == "ministral3" and not stated.get("layer_types"))
    windows = layer_windows(text, layers) if is_ignored and isinstance(layers, int) else None
    window = min((window for window in windows or () if window), default=0)
    if window and (not isinstance(context, int) or window < context):
        yield f"it ignores the sliding window of {window:,} tokens"
