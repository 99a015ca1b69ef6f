"""Builds a network as mlx-lm does, without a weight, and lets it put weights in order for itself.

No code of a model folder's own is ever run.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
from mlx import nn
from mlx.utils import tree_flatten

from mlx_engine.errors import InvalidRecipe, UnsupportedModel
from mlx_engine.modes import AFFINE
from mlx_engine.networks import model_classes
from mlx_engine.quantize.recipes.recipe import Format, Treatment

_nn: Any = nn


class Network:
    """The network that a configuration describes. Its parameters are not there until something uses them.

    Raises whatever mlx-lm raises on configurations that are not what they should be (`models.foreign`).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config: dict[str, Any] = copy.deepcopy(dict(config))
        if self.config.get("model_file") is not None:
            raise UnsupportedModel("The model needs Python code from its own folder, which Facet never runs.")
        model, arguments = model_classes(self.config)
        self._module: Any = model(arguments.from_dict(self.config))

    def sanitize(self, weights: dict[str, mx.array]) -> dict[str, mx.array]:
        """Return the weights as the network has them, from those of the files. It may change the network: once."""
        if not hasattr(self._module, "sanitize"):
            return weights
        result: dict[str, mx.array] = self._module.sanitize(weights)
        return result

    @property
    def layers(self) -> int:
        return len(self._module.layers)

    def parameters(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters, by name, in the network's order."""
        flat: Any = tree_flatten(self._module.parameters())
        return {name: tuple(weight.shape) for name, weight in flat}

    def quantizable(self) -> Mapping[str, Treatment | None]:
        """Return the paths of layers that have a quantized form, and what the architecture wants for them, if anything.

        As `mlx.nn.quantize` finds them, and `mlx_lm.utils.quantize_model` asks.
        """
        flat: Any = tree_flatten(self._module.leaf_modules(), is_leaf=_nn.Module.is_module)
        predicate = getattr(self._module, "quant_predicate", None)
        return {path: _wanted(predicate, path, layer) for path, layer in flat if hasattr(layer, "to_quantized")}

    def can_be_cast(self, name: str) -> bool:
        predicate = getattr(self._module, "cast_predicate", None)
        return predicate is None or bool(predicate(name))


def _wanted(predicate: Callable[[str, Any], Any] | None, path: str, layer: Any) -> Treatment | None:
    answer = True if predicate is None else predicate(path, layer)
    if isinstance(answer, dict):
        return as_format(answer)
    return None if answer else "keep"


def as_format(settings: Mapping[str, Any]) -> Format:
    """Return the format that mlx-lm's settings of a layer name; what is left out is affine, 4 bits, groups of 64.

    Raises:
        UnsupportedModel: Facet does not know it.
    """
    try:
        return Format(
            mode=settings.get("mode", AFFINE.name),
            bits=int(settings.get("bits", 4)),
            group_size=int(settings.get("group_size", 64)),
        )
    except (InvalidRecipe, KeyError, TypeError, ValueError) as error:
        raise UnsupportedModel(f"Weights are quantized in a way that Facet does not know: {dict(settings)}.") from error
