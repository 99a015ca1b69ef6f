"""Applies a recipe to the parameters of a network, down to the arrays that are written.

The forecast and the conversion share this layout, so the forecast is exact. Decisions match those of
`mlx_lm.utils.quantize_model` and `mlx.nn.quantize` (mlx-lm 0.32, mlx 0.32). No weights are read.
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
    """The treatment of one parameter."""

    parameter: Parameter
    format: Format | None
    """None if it is kept in floating point."""
    dtype: str
    """Type of the written numbers, or for a quantized parameter of the numbers before quantization: "BF16"."""
    reason: str
    """Reason for a deviation from the recipe: "a norm", "its rows of 100 weights do not divide by 64"; "" if none."""
    arrays: Mapping[str, Array]
    """Type and shape by name, in storage order: x.weight, x.scales and x.biases, or x.weight."""

    @property
    def size_bytes(self) -> int:
        return sum(tensor_bytes(dtype, shape) for dtype, shape in self.arrays.values())


def layout(outline: Outline, recipe: Recipe) -> tuple[ParameterPlacement, ...]:
    """Return the treatment of each parameter, in the network's order.

    Raises:
        InvalidRecipe: the recipe names a matrix or a layer that the model does not have.
    """
    _require_matrices(outline, recipe)
    rules = [(rule_matcher(rule, outline, number), rule.treatment) for number, rule in enumerate(recipe.rules)]
    dtype = outline.dtype if recipe.dtype == "source" else recipe.dtype
    return tuple(_place(parameter, _floats.get(dtype, ""), recipe, rules) for parameter in outline.parameters)


def _require_matrices(outline: Outline, recipe: Recipe) -> None:
    if not recipe.tensors:
        return
    paths = {parameter.path for parameter in outline.parameters if len(parameter.shape) > 1}
    if unknown := [path for path in recipe.tensors if path not in paths]:
        near = difflib.get_close_matches(unknown[0], paths, n=1)
        hint = f' The nearest is "{near[0]}".' if near else ""
        raise InvalidRecipe(
            f'The recipe names "{unknown[0]}" under tensors, which is not a matrix of this model.{hint}'
        )


def rule_matcher(rule: Rule, outline: Outline, number: int) -> Callable[[str], bool]:
    """Return a predicate: does the rule, number `number` of the recipe, match this path?

    Raises:
        InvalidRecipe: the model does not have the rule's layers.
    """
    layers = _layers(rule.layers, outline.layers, number)
    role_paths = frozenset[str]().union(*(_roles[kind](outline) for kind in rule.kinds if kind in _roles))
    parts = [re.escape(kind) for kind in rule.kinds if kind not in _roles]
    # Without kinds the pattern matches everything; if all kinds are roles, nothing.
    pattern = re.compile("|".join(parts) if parts or not rule.kinds else r"(?!)")

    def matches(path: str) -> bool:
        return bool(pattern.search(path) or path in role_paths) and (layers is None or layer_of(path) in layers)

    return matches


_roles = {"embeddings": Outline.embeddings, "head": Outline.head}


def _layers(layers: Layers | tuple[int, int], count: int, number: int) -> frozenset[int] | None:
    """Return the numbers of the layers; None for everything, including matrices outside of layers."""
    if layers == "all":
        return None
    if isinstance(layers, tuple):
        first, last = layers
        if last >= count:
            raise InvalidRecipe(
                f"The recipe's rules[{number}] is for the layers {first} to {last}, but this model has only "
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
    """Place a parameter; `cast` is the type for floats, "" to keep theirs."""
    is_cast = cast and parameter.can_be_cast and parameter.dtype in _float_types
    dtype = cast if is_cast else parameter.dtype
    form, reason = _choose(parameter, recipe, rules)
    if form is None:
        return ParameterPlacement(parameter, None, dtype, reason, {parameter.name: (dtype, parameter.shape)})
    return ParameterPlacement(parameter, form, dtype, reason, _packed(parameter, form, dtype))


def _choose(parameter: Parameter, recipe: Recipe, rules: _Rules) -> tuple[Format | None, str]:
    """Return the format, and the reason for a deviation from the recipe.

    As in mlx-lm, rows that do not divide by the default's group size are kept, even if the architecture prescribes a
    format.
    """
    if len(parameter.shape) < 2:
        return None, "" if recipe.default == "keep" else "a norm" if "norm" in parameter.name else "a vector"
    path, reason, default = parameter.path, "", recipe.default
    treatment = recipe.tensors.get(path) or next((treatment for matches, treatment in rules if matches(path)), None)
    groups = []
    if treatment is None:
        treatment = default
        if default != "keep":
            groups.append(default.group_size)
            if recipe.follows_architecture and parameter.prescribed:
                treatment, reason = parameter.prescribed, _prescription(parameter.prescribed)
    if treatment == "keep":
        return (parameter.stored, "") if recipe.keeps_stored and parameter.stored else (None, reason)
    obstacle = _obstacle(parameter, [*groups, treatment.group_size])
    return (None, obstacle) if obstacle else (treatment, reason)


def _prescription(treatment: Treatment) -> str:
    if treatment == "keep":
        return "the architecture needs it unquantized"
    return f"the architecture prescribes {treatment.bits} bits"


def _obstacle(parameter: Parameter, groups: list[int]) -> str:
    """Return the reason that the matrix cannot be quantized with these group sizes; "" if it can."""
    if not parameter.can_be_quantized:
        return "a convolution" if "conv" in parameter.name else "mlx-lm has no quantized form of it"
    if parameter.dtype not in _float_types:
        return "its numbers are not floats"
    row = parameter.shape[-1]
    return next((f"its rows of {row:,} weights do not divide by {group}" for group in groups if row % group), "")


def _packed(parameter: Parameter, form: Format, dtype: str) -> dict[str, Array]:
    """Return the arrays of a quantized matrix: weights packed into 32-bit words, and numbers of each group."""
    *rest, row = parameter.shape
    mode, stem = MODES[form.mode], parameter.name.removesuffix("weight")
    packed: Array = ("U32", (*rest, row * form.bits // 32))
    of_groups: Array = ("U8" if mode.has_byte_scales else dtype, (*rest, row // form.group_size))
    return {f"{stem}{part}": packed if part == "weight" else of_groups for part in mode.arrays}
