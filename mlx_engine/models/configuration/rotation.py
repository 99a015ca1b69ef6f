"""The settings of rotary position embeddings, in the form of transformers 5 and in the older one.

transformers 5 states them in `rope_parameters`, for all layers together or for each type of layer. Earlier versions
had `rope_theta` and `rope_scaling`, with other names in some families.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlx_engine.models.configuration.reference import Reference

DEFAULT_BASE = 10_000.0
TYPES = frozenset({"default", "linear", "dynamic", "yarn", "longrope", "llama3", "proportional"})
"""The types of scaling that Facet computes."""
_layer_types = ("full_attention", "sliding_attention", "chunked_attention", "linear_attention")
_with_original = ("llama3", "yarn", "longrope")
# Names of the same type of scaling in other versions and programs.
_types = {"su": "longrope", "mrope": "default", "deepseek_yarn": "yarn", "telechat3-yarn": "yarn"}
_bases = ("rope_theta", "rotary_emb_base", "rope_freq_constant")
_portions = ("partial_rotary_factor", "rotary_pct", "rope_pct")
# Families whose layers with a window have another base: the field and transformers' default.
_local_bases = {
    "gemma3_text": ("rope_local_base_freq", 10_000.0),
    "gemma3n_text": ("rope_local_base_freq", 10_000.0),
    "mimo_v2_flash": ("swa_rope_theta", 10_000.0),
}
# Families whose network of mlx-lm has its waves built in.
_unscaled = frozenset({"nanochat"})
# Families whose scaling applies only to layers without a window.
_scaled_globally = frozenset({"gemma3_text", "gemma3n_text", "mimo_v2_flash", "olmo3"})


def is_by_layer_type(parameters: Mapping[str, Any]) -> bool:
    """Return whether `rope_parameters` has an entry for each type of layer."""
    return any(isinstance(parameters.get(name), dict) for name in _layer_types)


def rotation_of(config: Mapping[str, Any], layer_type: str = "full_attention") -> Mapping[str, Any] | None:
    """Return the entry of a type of layer in the `rope_parameters` of a normalized configuration, if there is one."""
    parameters = config.get("rope_parameters")
    if not isinstance(parameters, dict):
        return None
    entry = parameters.get(layer_type) if is_by_layer_type(parameters) else parameters
    return entry if isinstance(entry, dict) else None


def obstacle(config: Mapping[str, Any]) -> str:
    """Return the reason why Facet cannot compute the rotation of a normalized configuration; "" if it can."""
    parameters = config.get("rope_parameters")
    entries = parameters.values() if isinstance(parameters, dict) and is_by_layer_type(parameters) else (parameters,)
    stated = [entry for entry in entries if isinstance(entry, dict)]
    computed = {"default"} if config.get("model_type") in _unscaled else TYPES
    kind = next((entry["rope_type"] for entry in stated if entry.get("rope_type", "default") not in computed), None)
    if kind is not None:
        return f"config.json scales positions by {str(kind)[:40]!r}, which Facet does not support."
    base = next((entry["rope_theta"] for entry in stated if not _is_base(entry.get("rope_theta", 1))), None)
    return "" if base is None else f"config.json has {str(base)[:40]!r} as rope_theta, which must be a positive number."


def _is_base(value: object) -> bool:
    """Return whether `value` is a base; some families state a list with one for each layer."""
    return isinstance(value, list) or (isinstance(value, int | float) and value > 0)


def with_rotation(config: dict[str, Any], reference: Reference | None) -> dict[str, Any]:
    """Return the configuration with its rotation in both forms."""
    default_base = reference.rope_theta if reference else 0
    if reference and reference.rotated_portion and _first(config, _portions) is None:
        config = config | {"partial_rotary_factor": reference.rotated_portion}
    parameters = config.get("rope_parameters")
    stated = isinstance(parameters, dict) or any(config.get(name) for name in (*_bases, *_portions, "rope_scaling"))
    if not stated and not default_base:
        return config
    parameters = _canonical(config, default_base or DEFAULT_BASE)
    return config | {"rope_parameters": parameters} | _older(config, parameters)


def _canonical(config: Mapping[str, Any], default_base: float) -> dict[str, Any]:
    parameters = config.get("rope_parameters")
    if isinstance(parameters, dict) and is_by_layer_type(parameters):
        return {
            name: _entry(config, entry, default_base) if isinstance(entry, dict) else entry
            for name, entry in parameters.items()
        }
    scaling = parameters if isinstance(parameters, dict) and parameters else config.get("rope_scaling")
    scaling = scaling if isinstance(scaling, dict) else {}
    family = str(config.get("model_type"))
    if family not in _scaled_globally:
        return _entry(config, scaling, default_base)
    name, base = _local_bases.get(family, ("rope_theta", default_base))
    return {
        "full_attention": _entry(config, scaling, default_base),
        "sliding_attention": _entry(config, {"rope_theta": config.get(name) or base}, base),
    }


def _entry(config: Mapping[str, Any], stated: Mapping[str, Any], default_base: float) -> dict[str, Any]:
    entry = {name: value for name, value in stated.items() if name != "type" and value is not None}
    kind = str(stated.get("rope_type") or stated.get("type") or "default")
    entry["rope_type"] = _types.get(kind, kind)
    entry.setdefault("rope_theta", _first(config, _bases) or default_base)
    if (portion := _first(config, _portions)) is not None:
        entry.setdefault("partial_rotary_factor", portion)
    if entry["rope_type"] in _with_original:
        # transformers prefers the field outside, which Phi-3 has.
        stated_outside = config.get("original_max_position_embeddings")
        entry.setdefault("original_max_position_embeddings", config.get("max_position_embeddings"))
        entry |= {"original_max_position_embeddings": stated_outside} if stated_outside else {}
    return entry


def _older(config: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    entry = rotation_of({"rope_parameters": parameters}) or next(
        (entry for entry in parameters.values() if isinstance(entry, dict)), {}
    )
    base, kind, portion = entry.get("rope_theta"), entry.get("rope_type"), entry.get("partial_rotary_factor")
    fields: dict[str, Any] = {name: base for name in _bases if name in config or name == "rope_theta"}
    fields["rope_scaling"] = None if kind == "default" and "mrope_section" not in entry else _scaling(entry)
    if portion is not None:
        fields |= {name: portion for name in _portions if name in config or name == "partial_rotary_factor"}
    local = parameters.get("sliding_attention")
    if isinstance(local, dict) and isinstance(parameters.get("full_attention"), dict):
        fields |= {"rope_local_base_freq": local.get("rope_theta"), "rope_global_base_freq": base}
    return fields


def _scaling(entry: Mapping[str, Any]) -> dict[str, Any]:
    kind = "mrope" if entry.get("rope_type") == "default" else entry.get("rope_type")
    return {**entry, "type": kind, "rope_type": kind}


def _first(config: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((config[name] for name in names if config.get(name) is not None), None)
