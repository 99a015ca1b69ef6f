"""The recipes by which a study can convert its original: those that Facet brings along, and the person's own."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from app.viewmodels.formatting.recipe import suffix, title
from app.viewmodels.lab.existing_conversions import maker_of, makers, nameless
from app.viewmodels.quantize.recipe_cards import OWN, RecipeCard, Reckoner
from mlx_engine.measure.study.study_file import conversion_label
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class LabRecipe:
    """`recipe` has the name by which the study knows it, and after which its model is called; `title` is what people
    call it.
    """

    recipe: Recipe
    title: str
    is_own: bool


def recipes_for(original: ModelDescription, own: Iterable[Recipe], models: Path) -> list[LabRecipe]:
    """Return all recipes, the person's own last, no two of the same name. What they make of `original` stands below
    `models`.
    """
    taken: set[str] = set()
    found = []
    for recipe, is_own in (*((one, False) for one in builtin.RECIPES), *((one, True) for one in own)):
        names = (name for name in _names(recipe, is_own=is_own) if name not in taken)
        name = next(name for name in names if _is_free(models / conversion_label(original.id, name), recipe))
        taken.add(name)
        found.append(LabRecipe(msgspec.structs.replace(recipe, name=name), title(recipe), is_own))
    return found


def cards_to_make(
    recipes: Collection[LabRecipe], reckoner: Reckoner, kin: Sequence[ModelDescription]
) -> list[RecipeCard]:
    """Return the cards of those that can be used, the most bits first, without those whose model is among `kin`."""
    made = makers(reckoner.model, kin)
    wanted = (one for one in recipes if nameless(one.recipe) not in made)
    cards = (replace(reckoner.card(one.recipe, OWN if one.is_own else ""), title=one.title) for one in wanted)
    return sorted((card for card in cards if card.figures), key=_bits, reverse=True)


def _bits(card: RecipeCard) -> float:
    return card.figures.forecast.bits_per_weight if card.figures else 0.0


def _names(recipe: Recipe, *, is_own: bool) -> Iterable[str]:
    """Return what it can be called, the usual name first; a folder can have each of them."""
    usual = suffix(recipe) if is_own else recipe.name
    return itertools.chain([usual], (f"{usual}-{number}" for number in itertools.count(2)))


def _is_free(target: Path, recipe: Recipe) -> bool:
    """Tell whether the model that is there, if any, was made by this very recipe, not by one that was called so."""
    return not target.exists() or maker_of(target) == nameless(recipe)
