"""A planned conversion, with the name of its result and the reason that it cannot start."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from app.viewmodels.quantize.recipe_cards import RecipeCard
from mlx_engine.errors import FacetError
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Recipe

_KEYS = "|".join(re.escape(recipe.name) for recipe in sorted(RECIPES, key=lambda recipe: -len(recipe.name)))
_PRECISION = rf"{_KEYS}|b?f(loat)?(p)?(16|32)|i?q\d(_[01k](_[sml])?)?|\d-?bit(-g\d+)?"


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """`problem` prevents the start; `free_name` is a name without the problem, if any."""

    card: RecipeCard
    name: str
    problem: str = ""
    free_name: str = ""


def plan_conversion(
    card: RecipeCard, name: str, source: Path, folder: Path, used_names: Collection[str]
) -> ConversionPlan:
    """Return the plan to create `name` in `folder`; `used_names` are those of other plans, in lower case."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", name) or name.endswith(".partial"):
        return ConversionPlan(
            card, name, "Use letters, digits, dots, hyphens and underscores. Start with a letter or digit."
        )
    target = folder / name
    if name.casefold() in used_names:
        return ConversionPlan(card, name, "Two models can't have the same name.", preflight.free_name(target))
    try:
        preflight.check_target(source, target)
    except FacetError as error:
        return ConversionPlan(card, name, error.message, preflight.free_name(target))
    return ConversionPlan(card, name)


def default_name(model: ModelDescription, recipe: Recipe) -> str:
    """Return the default name of the result."""
    return f"{bare_name(model)}-{recipe.name}"


def bare_name(model: ModelDescription) -> str:
    """Return the model's name without its precision, which a conversion changes."""
    return re.sub(rf"[-_.]({_PRECISION})$", "", model.name, flags=re.IGNORECASE) or model.name
