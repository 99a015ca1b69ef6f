"""The bit map of a model: the bits of each matrix, layer by layer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mlx_engine.models.description.weights import Weight

LAYER = re.compile(r"(?:^|\.)(?:layers|blocks|h|blk)\.(\d{1,6})\.")
"""The part of a tensor's path that contains the number of its layer."""
_numbered_expert = re.compile(r"\.experts\.\d+\.")


@dataclass(frozen=True, slots=True)
class LayerBits:
    """The bits of each matrix of a layer, by its path below the layer; `layer` is None for matrices outside layers.

    Experts that are stored separately form one entry, with the mean of their bits.
    """

    layer: int | None
    bits: dict[str, float] = field(default_factory=dict)


def bit_map(weights: Iterable[Weight]) -> tuple[LayerBits, ...]:
    """Return one row per layer in order, first the matrices outside layers; vectors are left out."""
    sums: dict[int | None, dict[str, tuple[int, int]]] = {}
    for weight in weights:
        if weight.is_matrix and weight.parameters:
            layer, name = _split_path(weight.name)
            bits, parameters = sums.setdefault(layer, {}).get(name, (0, 0))
            total = (bits + weight.precision.bits * weight.parameters, parameters + weight.parameters)
            sums[layer][name] = total
    order = sorted(sums, key=lambda layer: -1 if layer is None else layer)
    return tuple(
        LayerBits(layer, {name: bits / count for name, (bits, count) in sums[layer].items()}) for layer in order
    )


def _split_path(name: str) -> tuple[int | None, str]:
    match = LAYER.search(name)
    if match is None:
        return None, name
    return int(match[1]), _numbered_expert.sub(".experts.", name[match.end() :])
