"""Accounts for every field of config.json: read by mlx-lm's network, irrelevant, the default, or a reason to refuse.

A network that ignores a field computes another function than its reference, without any sign of it.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

from mlx_engine.models.configuration.normalize import TEXT_SECTIONS
from mlx_engine.models.configuration.reference import Reference, find_reference

_names_listed = 3
_widths = ("intermediate_size", "n_inner")
"""Fields that networks which ignore them take to be four times the hidden size."""
_activations = (
    frozenset({"silu", "swish"}),
    frozenset({"gelu", "gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_python_tanh", "gelu_accurate"}),
)
"""Names of the same function; by tanh, GELU differs from its exact form by less than 0.001."""


def ignored_fields(config: Mapping[str, Any], network_names: Set[str]) -> tuple[str, ...]:
    """Return the fields, sorted, that transformers' network reads and mlx-lm's ignores.

    Args:
        config: a normalized section, that of the text part if there are several.
        network_names: all names in the source of mlx-lm's network.
    """
    reference = _text_reference(config)
    if reference is None:
        return ()
    names = (name for name in _relevant(config) if name in reference.reads)
    built_in = _built_in(config)
    names = (name for name in names if name in built_in or network_names.isdisjoint(_all_names(name, reference)))
    return tuple(sorted(name for name in names if not _is_neutral(name, config, reference)))


def unknown_fields(config: Mapping[str, Any], network_names: Set[str]) -> tuple[str, ...]:
    """Return the fields, sorted, that neither transformers nor mlx-lm knows for this architecture.

    The arguments are those of `ignored_fields`.
    """
    reference = _text_reference(config)
    defined: set[str] = set()
    if reference:
        defined = {*reference.reads, *reference.defaults, *reference.aliases, *reference.aliases.values()}
    names = (name for name in _relevant(config) if name not in defined and name not in network_names)
    return tuple(sorted(name for name in names if config[name] not in (None, False, [], {})))


def namesake(config: Mapping[str, Any]) -> str:
    """Return the reason, as a sentence, if mlx-lm's network only has the name of this architecture; else ""."""
    return str(_groups()["namesake"].get(str(config.get("model_type")), ""))


def describe_ignored(names: tuple[str, ...]) -> str:
    """Return the reason, as a sentence, why a model with such fields is refused."""
    return (
        f"config.json sets {_list(names)}, which this version of mlx-lm ignores, so the model would compute something "
        "else than it should. Facet refuses such models."
    )


def describe_unknown(names: tuple[str, ...]) -> str:
    """Return the warning, as a sentence, about unknown fields."""
    return f"config.json has fields that neither transformers nor mlx-lm knows for this architecture: {_list(names)}."


def _text_reference(config: Mapping[str, Any]) -> Reference | None:
    """Return the reference of a section; earlier multimodal models have the text part's fields at the top."""
    reference = find_reference(str(config.get("model_type")))
    return (find_reference(reference.text) or reference) if reference and reference.text else reference


def _relevant(config: Mapping[str, Any]) -> Iterator[str]:
    architecture = str(config.get("model_type"))
    return (name for name in config if name not in TEXT_SECTIONS and not _is_exempt(architecture, name))


@functools.lru_cache(maxsize=4096)
def _is_exempt(architecture: str, name: str) -> bool:
    return _patterns(architecture).fullmatch(name) is not None


def _all_names(name: str, reference: Reference) -> set[str]:
    first = reference.aliases.get(name, name)
    return {first, *(alias for alias, target in reference.aliases.items() if target == first)}


def _is_neutral(name: str, config: Mapping[str, Any], reference: Reference) -> bool:
    value = config[name]
    if name == "num_key_value_heads" and value == config.get("num_attention_heads"):
        return True
    if name == "no_rope_layers" and isinstance(value, list):  # mlx-lm's Llama 4 has this order built in.
        return value == [int((index + 1) % 4 != 0) for index in range(len(value))]
    if name in _widths and value == 4 * (config.get("hidden_size") or config.get("n_embd") or 0):
        return True
    built_in = _built_in(config)
    if name in built_in:
        return bool(value == built_in[name])
    default = reference.defaults.get(reference.aliases.get(name, name), reference.defaults.get(name))
    if value is None or value == default or (default is None and value in (False, [], {})):
        return True
    return any({value, default} <= group for group in _activations) if isinstance(value, str) else False


def _built_in(config: Mapping[str, Any]) -> Mapping[str, Any]:
    values: Mapping[str, Any] = _groups()["built_in"].get(str(config.get("model_type")), {})
    return values


@functools.cache
def _patterns(architecture: str) -> re.Pattern[str]:
    """Return a pattern of the names that need no account."""
    groups = _groups()
    patterns = [*groups["irrelevant"], *groups["corrected"], *groups["corrected_in"].get(architecture, ())]
    return re.compile("|".join(patterns))


@functools.cache
def _groups() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("fields.toml").read_text(encoding="utf-8"))


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_names_listed])
    return f"{shown} and {len(names) - _names_listed} more" if len(names) > _names_listed else shown
