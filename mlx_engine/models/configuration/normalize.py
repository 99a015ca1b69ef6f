"""Brings config.json into the one form that describing, estimating, loading, converting and measuring share.

Repositories differ in where they state the same setting: transformers 5 has other names than earlier versions, and
leaves out what equals its defaults. The normalized configuration states everything under all names in use, so that
mlx-lm's classes and stock programs read the same from it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from mlx_engine.models.configuration import families
from mlx_engine.models.configuration.quantizers import with_canonical_method
from mlx_engine.models.configuration.reference import Reference, find_reference
from mlx_engine.models.configuration.rotation import with_rotation
from mlx_engine.models.configuration.text_parts import as_whole

TEXT_SECTIONS = ("text_config", "llm_config", "language_config")
"""A multimodal model has a separate section for its text part."""
_types_by_class = {"MiniMaxM2ForCausalLM": "minimax_m2"}
"""Classes that early repositories saved with the `model_type` of another one."""
_tag = "__float__"
_tagged = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
_tie = "tie_word_embeddings"


def text_section(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the section of the text part of a multimodal model; None if the whole is a text model."""
    return next((config[name] for name in TEXT_SECTIONS if isinstance(config.get(name), dict)), None)


def normalize(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the normalized form of the contents of config.json; normalizing it again changes nothing.

    Raises:
        UnsupportedModel: a setting has a value whose meaning is unknown.
    """
    config = as_whole(_retyped(_untagged(values)))
    reference = find_reference(_architecture(config))
    section = next((name for name in TEXT_SECTIONS if isinstance(config.get(name), dict)), "")
    if section:
        text = _with_own_type(config[section], reference)
        text_reference = find_reference(_architecture(text))
        config |= _shared_ties(config, text, reference, text_reference)
        text |= {_tie: config[_tie]} if _tie in config else {}
        config[section] = _normalize_section(text, text_reference)
        config.setdefault("vocab_size", config[section].get("vocab_size"))  # mlx-lm's Gemma reads it here.
    elif reference and reference.text:
        # Earlier versions had the text part's fields at the top.
        reference = find_reference(reference.text) or reference
    return _with_quantization(_normalize_section(config, reference, has_text=not section))


def _normalize_section(values: dict[str, Any], reference: Reference | None, *, has_text: bool = True) -> dict[str, Any]:
    config = _with_type_names(values)
    if reference:
        config = _with_defaults(config, reference)
    if has_text:
        config = with_rotation(config, reference)
        config = families.complete(config)
    return config


def _architecture(values: Mapping[str, Any]) -> str:
    name = values.get("model_type")
    return name if isinstance(name, str) else ""


def _retyped(config: dict[str, Any]) -> dict[str, Any]:
    classes = config.get("architectures")
    names = [name for name in classes if isinstance(name, str)] if isinstance(classes, list) else []
    types = [_types_by_class[name] for name in names if name in _types_by_class]
    return config | {"model_type": types[0]} if types else config


def _with_own_type(text: dict[str, Any], reference: Reference | None) -> dict[str, Any]:
    return text if _architecture(text) or not reference or not reference.text else text | {"model_type": reference.text}


def _shared_ties(
    config: Mapping[str, Any], text: Mapping[str, Any], reference: Reference | None, text_reference: Reference | None
) -> dict[str, Any]:
    """Return whether the head is tied to the embeddings: said by the whole, else by the text part, else a default."""
    stated: list[Mapping[str, Any]] = [config, text]
    stated += [candidate.defaults for candidate in (reference, text_reference) if candidate]
    value = next((source[_tie] for source in stated if isinstance(source.get(_tie), bool)), None)
    return {} if value is None else {_tie: value}


def _with_type_names(values: dict[str, Any]) -> dict[str, Any]:
    dtype = values.get("dtype") or values.get("torch_dtype")
    return values | {"dtype": dtype, "torch_dtype": dtype} if isinstance(dtype, str) else values


def _with_defaults(values: dict[str, Any], reference: Reference) -> dict[str, Any]:
    """Return the configuration with each field under all its names, and with the defaults of absent fields."""
    config = dict(values)
    for alias, name in reference.aliases.items():
        if alias in config and name not in config:
            config[name] = config[alias]
    defaults = {reference.aliases.get(name, name): value for name, value in reference.defaults.items()}
    config = {**defaults, **config}
    for alias, name in reference.aliases.items():
        if name in config:
            config.setdefault(alias, config[name])
    return config


def _with_quantization(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with MLX's own settings under "quantization", where some folders lack them."""
    text: Mapping[str, Any] = text_section(config) or {}
    settings = config.get("quantization_config") or text.get("quantization_config")
    if isinstance(settings, dict):
        settings = with_canonical_method(settings)
    config = config | {"quantization_config": settings} if settings else config
    is_own = isinstance(settings, dict) and "quant_method" not in settings and {"bits", "group_size"} <= settings.keys()
    return config | {"quantization": settings} if is_own and not config.get("quantization") else config


def _untagged(value: Any) -> Any:
    """Return a copy with the numbers that JSON lacks, which transformers writes as {"__float__": "Infinity"}."""
    rebuild: Callable[[Any], Any] = _untagged
    if isinstance(value, dict):
        if value.keys() == {_tag} and value[_tag] in _tagged:
            return _tagged[value[_tag]]
        return {name: rebuild(item) for name, item in value.items()}
    return [rebuild(item) for item in value] if isinstance(value, list) else value
