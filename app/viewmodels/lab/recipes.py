"""The recipes by which a study can convert its original: those that Facet brings along, and the person's own."""

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
    """A recipe under a key that the study and the folder of its conversion can use."""

    recipe: Recipe
    is_own: bool


def recipes_for(original: ModelDescription, own: Iterable[Recipe], models: Path) -> list[StudyRecipe]:
    """Return all recipes, the person's own last, no two of the same name. What they make of `original` stands below
    `models`.
    """
    taken: set[str] = set()
    recipes = []
    for recipe, is_own in (*((recipe, False) for recipe in builtin.RECIPES), *((recipe, True) for recipe in own)):
        names = (name for name in _names(recipe) if name not in taken)
        name = next(name for name in names if _is_free(models / conversion_label(original.id, name), recipe))
        taken.add(name)
        recipes.append(StudyRecipe(msgspec.structs.replace(recipe, name=name), is_own))
    return recipes


def cards_to_make(
    recipes: Collection[StudyRecipe], forecaster: RecipeForecaster, kin: Sequence[ModelDescription]
) -> list[RecipeCard]:
    """Return the cards of those that can be used, the most bits first, without those whose model is among `kin`."""
    made = recipes_used(forecaster.model, kin)
    missing = (entry for entry in recipes if entry.recipe.unnamed not in made)
    cards = (forecaster.card(entry.recipe, USER_RECIPES if entry.is_own else "") for entry in missing)
    return sorted((card for card in cards if card.forecast), key=_bits, reverse=True)


def _bits(card: RecipeCard) -> float:
    return card.forecast.conversion.bits_per_weight if card.forecast else 0.0


def _names(recipe: Recipe) -> Iterable[str]:
    return itertools.chain([recipe.name], (f"{recipe.name}-{number}" for number in itertools.count(2)))


def _is_free(target: Path, recipe: Recipe) -> bool:
    """Tell whether the model that is there, if any, was made by this very recipe, not by one that was called so."""
    return not target.exists() or recipe_of(target) == recipe.unnamed
