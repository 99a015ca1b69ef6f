"""The user's recipes: JSON files in a folder, each under a key that the command line can give."""

import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mlx_engine.errors import FacetError
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.recipe_file import read_recipe


@dataclass(frozen=True, slots=True)
class UserRecipe:
    """A recipe under a key that no other recipe has, and its file."""

    recipe: Recipe
    file: Path


@dataclass(frozen=True, slots=True)
class UserRecipes:
    """The readable recipes of a folder, by title; `problems` are messages about the other files."""

    recipes: tuple[UserRecipe, ...] = ()
    problems: Mapping[Path, str] = field(default_factory=dict)

    def find(self, name: str) -> Recipe | None:
        """Return the recipe with the key `name`, or else with that title."""
        recipes = [entry.recipe for entry in self.recipes]
        by_title = (recipe for recipe in recipes if recipe.title == name)
        return next(itertools.chain((recipe for recipe in recipes if recipe.name == name), by_title), None)


def user_recipes(folder: Path) -> UserRecipes:
    """Return the recipes in `folder`, which need not exist."""
    recipes: list[tuple[Recipe, Path]] = []
    problems = {}
    for file in sorted(folder.glob("*.json")):
        try:
            recipes.append((read_recipe(file), file))
        except FacetError as error:
            problems[file] = error.message
    entries: list[UserRecipe] = []
    for recipe, file in sorted(recipes, key=lambda entry: _title(entry[0]).casefold()):
        name = free_key(recipe.name, [entry.recipe for entry in entries])
        entries.append(UserRecipe(msgspec.structs.replace(recipe, name=name, title=_title(recipe)), file))
    return UserRecipes(tuple(entries), problems)


def _title(recipe: Recipe) -> str:
    """Return the title, or the name for a copy of a built-in recipe that was renamed in the file only."""
    return recipe.name if recipe.title in {builtin.title for builtin in RECIPES} else recipe.title


def free_key(name: str, recipes: Collection[Recipe]) -> str:
    """Return `name` as a key, with a number if a built-in recipe or one of `recipes` has it.

    Upper and lower case count as the same, as most disks of a Mac do not distinguish them.
    """
    used = {recipe.name.casefold() for recipe in (*RECIPES, *recipes)}
    key = folder_name(name)
    keys = itertools.chain([key], (f"{key}-{number}" for number in itertools.count(2)))
    return next(key for key in keys if key.casefold() not in used)


def folder_name(name: str) -> str:
    """Return `name` with only characters that are legal in the name of a folder and of a model on the Hub."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) and len(name) <= _max_length:
        return name
    return re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:_max_length] or "quantized"


_max_length = 80
