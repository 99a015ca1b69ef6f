"""A conversion that was chosen, what it is called, and what stands against it before it is begun."""

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
    """`problem` keeps it from starting, and `other_name` may help."""

    card: RecipeCard
    name: str
    problem: str = ""
    other_name: str = ""


def planned(card: RecipeCard, name: str, source: Path, folder: Path, taken: Collection[str]) -> ConversionPlan:
    """Return the plan to make `name` in the folder; `taken` are names that others will have, in lower case."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", name) or name.endswith(".partial"):
        return ConversionPlan(
            card, name, "A name has letters, figures, dots, dashes and underscores, and begins with the former."
        )
    target = folder / name
    if name.casefold() in taken:
        return ConversionPlan(card, name, "Two models cannot have the same name.", preflight.free_name(target))
    try:
        preflight.check_target(source, target)
    except FacetError as error:
        return ConversionPlan(card, name, error.message, preflight.free_name(target))
    return ConversionPlan(card, name)


def usual_name(model: ModelDescription, recipe: Recipe) -> str:
    """Return what the result is called unless the person says otherwise."""
    return f"{bare_name(model)}-{recipe.name}"


def bare_name(model: ModelDescription) -> str:
    """Return the name without what it says of its precision: that is about to change."""
    return re.sub(rf"[-_.]({_PRECISION})$", "", model.name, flags=re.IGNORECASE) or model.name
