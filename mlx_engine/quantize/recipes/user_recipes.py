"""The recipes that a person has made in the window, by the names that a command line can give them."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.errors import FacetError
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.recipe_file import read_recipe


@dataclass(frozen=True, slots=True)
class OwnRecipe:
    """`recipe` has a name that a folder can have, and no other recipe; `title` is what the person calls it."""

    recipe: Recipe
    title: str


@dataclass(frozen=True, slots=True)
class OwnRecipes:
    """What is kept in a folder; `problems` say of which files nothing can be made."""

    recipes: tuple[OwnRecipe, ...]
    problems: tuple[str, ...]

    def named(self, name: str) -> Recipe | None:
        """Return the recipe that is called `name`, by its person or after which folders are called."""
        exact = (one.recipe for one in self.recipes if one.title == name)
        return next(itertools.chain((one.recipe for one in self.recipes if one.recipe.name == name), exact), None)


def own_recipes(folder: Path) -> OwnRecipes:
    """Return the recipes in `folder`, in the order of their names."""
    found, problems = [], []
    for file in sorted(folder.glob("*.json")):
        try:
            found.append(read_recipe(file))
        except FacetError as error:
            problems.append(error.message)
    return OwnRecipes(tuple(_told_apart(sorted(found, key=lambda one: one.name.casefold()))), tuple(problems))


def folder_name(name: str) -> str:
    """Return the name as a folder can have it; one that a folder can have already stays."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) and len(name) <= _longest:
        return name
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:_longest] or "quantized"


_longest = 80


def _told_apart(recipes: list[Recipe]) -> Iterator[OwnRecipe]:
    """Give each a name of its own; what is called like one that Facet brings along, has a number."""
    taken = {recipe.name.casefold() for recipe in RECIPES}
    for recipe in recipes:
        usual = folder_name(recipe.name)
        names = itertools.chain([usual], (f"{usual}-{number}" for number in itertools.count(2)))
        name = next(one for one in names if one.casefold() not in taken)
        taken.add(name.casefold())
        yield OwnRecipe(msgspec.structs.replace(recipe, name=name), recipe.name)
