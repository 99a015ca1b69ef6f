"""The map of a model's bits: layer by layer, in how many bits each matrix is stored."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mlx_engine.models.description.weights import Weight

LAYER = re.compile(r"(?:^|\.)(?:layers|blocks|h|blk)\.(\d{1,6})\.")
"""Where a tensor's path names its layer."""
_numbered_expert = re.compile(r"\.experts\.\d+\.")


@dataclass(frozen=True, slots=True)
class LayerBits:
    """The bits of each matrix of a layer, by its path below the layer; `layer` is None for what is outside of all.

    The experts of a layer that are stored one by one are one entry, with the mean of their bits.
    """

    layer: int | None
    bits: dict[str, float] = field(default_factory=dict)


def bit_map(weights: Iterable[Weight]) -> tuple[LayerBits, ...]:
    """Return a row a layer, in order, what is outside of all layers first; vectors are left out."""
    sums: dict[int | None, dict[str, tuple[int, int]]] = {}
    for weight in weights:
        if weight.is_matrix and weight.parameters:
            layer, name = _place(weight.name)
            bits, parameters = sums.setdefault(layer, {}).get(name, (0, 0))
            total = (bits + weight.precision.bits * weight.parameters, parameters + weight.parameters)
            sums[layer][name] = total
    order = sorted(sums, key=lambda layer: -1 if layer is None else layer)
    return tuple(
        LayerBits(layer, {name: bits / count for name, (bits, count) in sums[layer].items()}) for layer in order
    )


def _place(name: str) -> tuple[int | None, str]:
    match = LAYER.search(name)
    if match is None:
        return None, name
    return int(match[1]), _numbered_expert.sub(".experts.", name[match.end() :])
