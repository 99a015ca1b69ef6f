"""Says what becomes of each parameter of a network under a recipe, down to the arrays that are written.

The forecast and the conversion both go by it, so the one is exact and the other holds no surprise. It decides as
`mlx_lm.utils.quantize_model` and `mlx.nn.quantize` do (mlx-lm 0.32, mlx 0.32), and reads no weights.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlx_engine.errors import InvalidRecipe
from mlx_engine.models.files.safetensors import tensor_bytes
from mlx_engine.modes import MODES
from mlx_engine.quantize.plan.outline import Outline, Parameter, layer_of
from mlx_engine.quantize.plan.shards import Array
from mlx_engine.quantize.recipes.recipe import Format, Layers, Recipe, Rule, Treatment

_floats = {"bfloat16": "BF16", "float16": "F16", "float32": "F32"}
_float_types = frozenset({"BF16", "F16", "F32", "F64"})


@dataclass(frozen=True, slots=True)
class ParameterPlacement:
    """What becomes of one parameter."""

    parameter: Parameter
    format: Format | None
    """None if it is kept in floating point."""
    dtype: str
    """Of its numbers as they are written or, where it is quantized, of those that are quantized: "BF16"."""
    reason: str
    """Why it is not as the recipe says: "a norm", "its rows of 100 weights do not divide by 64"; "" if it is."""
    arrays: Mapping[str, Array]
    """Type and shape by name, in the order in which they are stored: x.weight, x.scales and x.biases, or x.weight."""

    @property
    def size_bytes(self) -> int:
        return sum(tensor_bytes(dtype, shape) for dtype, shape in self.arrays.values())


def layout(outline: Outline, recipe: Recipe) -> tuple[ParameterPlacement, ...]:
    """Return what becomes of each parameter, in the network's order.

    Raises:
        InvalidRecipe: the recipe names a matrix or a layer that the model does not have.
    """
    _require_matrices(outline, recipe)
    rules = [(meaning(rule, outline, number), rule.treatment) for number, rule in enumerate(recipe.rules)]
    dtype = outline.dtype if recipe.dtype == "source" else recipe.dtype
    return tuple(_place(parameter, _floats.get(dtype, ""), recipe, rules) for parameter in outline.parameters)


def _require_matrices(outline: Outline, recipe: Recipe) -> None:
    if not recipe.tensors:
        return
    paths = {parameter.path for parameter in outline.parameters if len(parameter.shape) > 1}
    if unknown := [path for path in recipe.tensors if path not in paths]:
        near = difflib.get_close_matches(unknown[0], paths, n=1)
        hint = f' The nearest is "{near[0]}".' if near else ""
        raise InvalidRecipe(f'The recipe names "{unknown[0]}" under tensors, which is no matrix of this model.{hint}')


def meaning(rule: Rule, outline: Outline, number: int) -> Callable[[str], bool]:
    """Return what tells of a path whether the rule, the recipe's `number`th from 0, meets its matrix.

    Raises:
        InvalidRecipe: the model does not have the rule's layers.
    """
    layers = _layers(rule.layers, outline.layers, number)
    named = frozenset[str]().union(*(_roles[kind](outline) for kind in rule.kinds if kind in _roles))
    parts = [re.escape(kind) for kind in rule.kinds if kind not in _roles]
    # A pattern that meets nothing where all kinds are roles, and everything where there are no kinds.
    pattern = re.compile("|".join(parts) if parts or not rule.kinds else r"(?!)")

    def meets(path: str) -> bool:
        return bool(pattern.search(path) or path in named) and (layers is None or layer_of(path) in layers)

    return meets


_roles = {"embeddings": Outline.embeddings, "head": Outline.head}


def _layers(layers: Layers | tuple[int, int], count: int, number: int) -> frozenset[int] | None:
    """Return the numbers of the layers; None for everything, also what is outside of them."""
    if layers == "all":
        return None
    if isinstance(layers, tuple):
        first, last = layers
        if last >= count:
            raise InvalidRecipe(
                f"The recipe's rules[{number}] is for the layers from {first} to {last}, but this model has only "
                f"{count}, counted from 0."
            )
        return frozenset(range(first, last + 1))
    outer = count // 8
    third = layers == "outer and every third"
    return frozenset(
        layer
        for layer in range(count)
        if layer < outer or layer >= 7 * count // 8 or (third and (layer - outer) % 3 == 2)
    )


_Rules = list[tuple[Callable[[str], bool], Treatment]]


def _place(parameter: Parameter, cast: str, recipe: Recipe, rules: _Rules) -> ParameterPlacement:
    """Place a parameter; `cast` is the type that floats get, "" if they keep theirs."""
    is_cast = cast and parameter.can_be_cast and parameter.dtype in _float_types
    dtype = cast if is_cast else parameter.dtype
    form, reason = _choose(parameter, recipe, rules)
    if form is None:
        return ParameterPlacement(parameter, None, dtype, reason, {parameter.name: (dtype, parameter.shape)})
    return ParameterPlacement(parameter, form, dtype, reason, _packed(parameter, form, dtype))


def _choose(parameter: Parameter, recipe: Recipe, rules: _Rules) -> tuple[Format | None, str]:
    """Return the format, and why it is not what the recipe says.

    As in mlx-lm, rows that do not divide by the default's groups are kept, whatever the architecture wants.
    """
    if len(parameter.shape) < 2:
        return None, "" if recipe.default == "keep" else "a norm" if "norm" in parameter.name else "a vector"
    path, reason, default = parameter.path, "", recipe.default
    treatment = recipe.tensors.get(path) or next((treatment for meets, treatment in rules if meets(path)), None)
    groups = []
    if treatment is None:
        treatment = default
        if default != "keep":
            groups.append(default.group_size)
            if recipe.follows_architecture and parameter.wanted:
                treatment, reason = parameter.wanted, _wish(parameter.wanted)
    if treatment == "keep":
        return (parameter.stored, "") if recipe.keeps_stored and parameter.stored else (None, reason)
    obstacle = _obstacle(parameter, [*groups, treatment.group_size])
    return (None, obstacle) if obstacle else (treatment, reason)


def _wish(treatment: Treatment) -> str:
    if treatment == "keep":
        return "the architecture needs it whole"
    return f"the architecture wants {treatment.bits} bits for it"


def _obstacle(parameter: Parameter, groups: list[int]) -> str:
    """Return why the matrix cannot be quantized in such groups; "" if it can."""
    if not parameter.can_be_quantized:
        return "a convolution" if "conv" in parameter.name else "mlx-lm knows no quantized form of it"
    if parameter.dtype not in _float_types:
        return "its numbers are no floats"
    row = parameter.shape[-1]
    return next((f"its rows of {row:,} weights do not divide by {group}" for group in groups if row % group), "")


def _packed(parameter: Parameter, form: Format, dtype: str) -> dict[str, Array]:
    """Return the arrays of a quantized matrix: weights packed into 32-bit words, and numbers of each group."""
    *rest, row = parameter.shape
    mode, stem = MODES[form.mode], parameter.name.removesuffix("weight")
    packed: Array = ("U32", (*rest, row * form.bits // 32))
    of_groups: Array = ("U8" if mode.has_byte_scales else dtype, (*rest, row // form.group_size))
    return {f"{stem}{part}": packed if part == "weight" else of_groups for part in mode.arrays}
