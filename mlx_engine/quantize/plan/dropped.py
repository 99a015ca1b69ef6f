"""Finds the tensors of a source that its network does not use, with the reason."""

import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description import loaded
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.quantize.plan.outline import Dropped

_number = re.compile(r"\.\d+(?=\.|$)")


def dropped(tensors: Mapping[str, TensorEntry], used: frozenset[str], config: Mapping[str, Any]) -> tuple[Dropped, ...]:
    """Return the `tensors` that are not `used`, grouped by the shortest prefix that no used tensor has.

    Layers count as one: "model.layers.*.self_attn.rotary_emb".
    """
    needed = {prefix for name in used for prefix in _prefixes(name)}
    sizes: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for name in tensors.keys() - used:
        prefix = _number.sub(".*", next((prefix for prefix in _prefixes(name) if prefix not in needed), name))
        sizes[prefix] = sizes.get(prefix, 0) + tensors[name].size_bytes
        reasons.setdefault(prefix, _reason(name, config))
    return tuple(Dropped(prefix, sizes[prefix], reasons[prefix]) for prefix in sorted(sizes))


def _prefixes(name: str) -> Iterable[str]:
    """Yield "a", "a.b", "a.b.c" for "a.b.c"."""
    return accumulate(name.split("."), lambda start, part: f"{start}.{part}")


def _reason(name: str, config: Mapping[str, Any]) -> str:
    if loaded.is_vision_or_audio(name):
        return "mlx-lm runs only the text part of this model"
    if "lm_head" in name:
        return "the embeddings are also the output head"
    if Configuration(config).integer("num_nextn_predict_layers", "mtp_num_hidden_layers") and "layers" in name:
        return "mlx-lm does not predict several tokens at once"
    return "mlx-lm's network does not use it"
