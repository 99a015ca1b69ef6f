"""The recipes with which a study can convert its original: built-in ones, and the user's."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.viewmodels.lab.existing_conversions import recipe_of, recipes_used
from app.viewmodels.quantize.recipe_cards import USER_RECIPES, RecipeCard, RecipeForecaster
from mlx_engine.measure.study.study_file import conversion_label
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class StudyRecipe:
    """A recipe under a name that is free for its conversion."""

    recipe: Recipe
    is_users: bool


def recipes_for(original: ModelDescription, user_recipes: Iterable[Recipe], models: Path) -> list[StudyRecipe]:
    """Return all recipes under unique names, the user's last; `models` is the folder of their conversions."""
    used_names: set[str] = set()
    recipes = []
    for recipe, is_users in (
        *((recipe, False) for recipe in builtin.RECIPES),
        *((recipe, True) for recipe in user_recipes),
    ):
        names = (name for name in _names(recipe) if name not in used_names)
        name = next(name for name in names if _is_free(models / conversion_label(original.id, name), recipe))
        used_names.add(name)
        recipes.append(StudyRecipe(msgspec.structs.replace(recipe, name=name), is_users))
    return recipes


def cards_to_make(
    recipes: Collection[StudyRecipe], forecaster: RecipeForecaster, related: Sequence[ModelDescription]
) -> list[RecipeCard]:
    """Return the cards of applicable recipes, most bits first, except those with a conversion among `related`."""
    existing = recipes_used(forecaster.model, related)
    missing = (entry for entry in recipes if entry.recipe.unnamed not in existing)
    cards = (forecaster.card(entry.recipe, USER_RECIPES if entry.is_users else "") for entry in missing)
    return sorted((card for card in cards if card.forecast), key=_bits, reverse=True)


def _bits(card: RecipeCard) -> float:
    return card.forecast.conversion.bits_per_weight if card.forecast else 0.0


def _names(recipe: Recipe) -> Iterable[str]:
    return itertools.chain([recipe.name], (f"{recipe.name}-{number}" for number in itertools.count(2)))


def _is_free(target: Path, recipe: Recipe) -> bool:
    """Return True unless `target` is a conversion by another recipe of the same name."""
    return not target.exists() or recipe_of(target) == recipe.unnamed
