"""Builds a network as mlx-lm does, without weights, to convert weights to its layout.

Code in a model folder is never run.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten

from mlx_engine.errors import InvalidRecipe, UnsupportedModel
from mlx_engine.modes import AFFINE
from mlx_engine.networks import build
from mlx_engine.quantize.recipes.recipe import Format, Treatment

_nn: Any = nn


class Network:
    """The network of a configuration. Its parameters are allocated only when they are used.

    Raises any error that mlx-lm raises on invalid configurations (`models.files.foreign_errors`).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config: dict[str, Any] = copy.deepcopy(dict(config))
        self._module: Any = build.build(self.config)

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Convert the weights of the files to the network's layout. Call it once: it may change the network."""
        return build.sanitize(self._module, self.config, weights)

    @property
    def layers(self) -> int:
        return len(self._module.layers)

    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters, by name, in the network's order."""
        flat: Any = tree_flatten(self._module.parameters())
        return {name: tuple(weight.shape) for name, weight in flat}

    def quantizable(self) -> Mapping[str, Treatment | None]:
        """Return the paths of layers that have a quantized form, with the treatment that the architecture prescribes.

        The same as in `mlx.nn.quantize` and `mlx_lm.utils.quantize_model`.
        """
        flat: Any = tree_flatten(self._module.leaf_modules(), is_leaf=_nn.Module.is_module)
        predicate = getattr(self._module, "quant_predicate", None)
        return {path: _prescribed(predicate, path, layer) for path, layer in flat if hasattr(layer, "to_quantized")}

    def can_be_cast(self, name: str) -> bool:
        predicate = getattr(self._module, "cast_predicate", None)
        return predicate is None or bool(predicate(name))


def _prescribed(predicate: Callable[[str, Any], Any] | None, path: str, layer: Any) -> Treatment | None:
    answer = True if predicate is None else predicate(path, layer)
    if isinstance(answer, dict):
        return as_format(answer)
    return None if answer else "keep"


def as_format(settings: Mapping[str, Any]) -> Format:
    """Return the format in mlx-lm's settings of a layer; the defaults are affine, 4 bits, groups of 64.

    Raises:
        UnsupportedModel: Facet does not support the format.
    """
    try:
        return Format(
            mode=settings.get("mode", AFFINE.name),
            bits=int(settings.get("bits", 4)),
            group_size=int(settings.get("group_size", 64)),
        )
    except (InvalidRecipe, KeyError, TypeError, ValueError) as error:
        raise UnsupportedModel(f"Facet does not support this quantization: {dict(settings)}.") from error
