"""Writes what Facet knows of transformers' configurations: `python -m tests.conformance.reference_table`.

For each architecture that mlx-lm runs, `reference.json` has the fields with their defaults, their other names, and the
names that transformers' network reads. It is generated when transformers or mlx-lm is updated, because importing
transformers takes longer than describing a library.
"""

import dataclasses
import inspect
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING, CONFIG_MAPPING_NAMES

from mlx_engine.models.configuration import reference
from mlx_engine.models.description.architecture import find_implementation

_text_sections = ("text_config", "llm_config", "language_config")
_reads = re.compile(r"""config\.([a-z]\w*)|config, "(\w+)"|\.get\("(\w+)"|(?:parameters|_dict)\["(\w+)"\]""")
_portion = re.compile(r"""setdefault\("partial_rotary_factor", (?:kwargs.pop\("rotary_pct", )?([\d.]+)\)""")
_unrelated = re.compile(
    r".*_token_(id|index)|.*dropout|.*_pdrop|.*_drop|output_.*|.*_loss_.*|initializer_.*|use_cache|pretraining_tp"
)
"""Defaults that never change what a text model computes."""
_always_stated = frozenset(
    {"hidden_size", "n_embd", "d_model", "num_hidden_layers", "n_layer", "n_layers", "num_layers"}
)
"""No model leaves these out, so that their defaults would describe another one."""
_plain = (bool, int, float, str)
_infinities = (math.inf, -math.inf)


def table() -> dict[str, Any]:
    """Return the contents of `reference.json`."""
    kinds = {kind.model_type: kind for name in _architectures() for kind in _with_text_part(CONFIG_MAPPING[name])}
    return {
        "transformers": transformers.__version__,
        "architectures": {name: _entry(kinds[name]) for name in sorted(kinds)},
    }


def main() -> None:
    rows = table()
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in rows["architectures"].items())
    text = f'{{"transformers": {json.dumps(rows["transformers"])}, "architectures": {{\n{lines}\n}}}}\n'
    reference.PATH.write_text(text, encoding="utf-8")


def _architectures() -> Iterator[str]:
    return (name for name in CONFIG_MAPPING_NAMES if find_implementation(name))


def _with_text_part(kind: Any) -> Iterator[Any]:
    yield kind
    part = next((kind.sub_configs[name] for name in _text_sections if name in kind.sub_configs), None)
    if getattr(part, "model_type", ""):
        yield part


def _entry(kind: Any) -> dict[str, Any]:
    parts = [part.model_type for part in _with_text_part(kind)][1:]
    has_rotation = any(field.name == "rope_parameters" for field in dataclasses.fields(kind))
    theta = getattr(kind, "default_theta", 0) if has_rotation else 0
    return {
        "defaults": dict(sorted(_defaults(kind))),
        "aliases": dict(sorted(kind.attribute_map.items())),
        "reads": sorted(_read_names(kind)),
        "rope_theta": theta["global"] if isinstance(theta, dict) else theta,
        "rotated_portion": _default_portion(kind),
        "text": parts[0] if parts else "",
    }


def _default_portion(kind: Any) -> float:
    source = Path(inspect.getsourcefile(kind) or "").read_text(encoding="utf-8")
    match = _portion.search(source)
    return float(match[1]) if match else 0


def _defaults(kind: Any) -> Iterator[tuple[str, Any]]:
    """Yield the defaults that are plain values; those that depend on other fields are None in the class."""
    inherited = {field.name for field in dataclasses.fields(transformers.PreTrainedConfig)}
    for field in dataclasses.fields(kind):
        is_plain = isinstance(field.default, _plain) and field.default not in _infinities
        if is_plain and field.name not in inherited | _always_stated and not _unrelated.fullmatch(field.name):
            yield field.name, field.default


def _read_names(kind: Any) -> set[str]:
    """Return the names that the source of transformers' network reads from its configuration."""
    source = Path(inspect.getsourcefile(kind) or "")
    modeling = source.with_name(source.name.replace("configuration_", "modeling_"))
    text = modeling.read_text(encoding="utf-8") if modeling.is_file() else ""
    text = text.replace("config.rope_parameters", "rope_parameters")
    return {name for match in _reads.findall(text) for name in match if name} - {"get", "to_dict"}


if __name__ == "__main__":
    main()
