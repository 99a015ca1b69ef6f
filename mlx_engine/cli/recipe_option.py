"""Finds the recipe that a command line names: a built-in or user recipe, a file, or a llama.cpp quantization."""

from pathlib import Path

import msgspec

from mlx_engine.cli.views import terminal
from mlx_engine.errors import InvalidRecipe
from mlx_engine.folders import Folders
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.llamacpp import nearest
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.recipe_file import read_recipe
from mlx_engine.quantize.recipes.user_recipes import folder_name, user_recipes


def find_recipe(name: str) -> Recipe:
    """Return the recipe, with a name that a folder can have.

    For a llama.cpp name, return the nearest recipe and describe the difference on standard error.

    Raises:
        InvalidRecipe: no recipe has this name, or the file does not contain a valid one.
        StorageError: the file cannot be read.
    """
    if name.endswith(".json"):
        recipe = read_recipe(Path(name))
        return msgspec.structs.replace(recipe, name=folder_name(recipe.name))
    try:
        return builtin.recipe(name)
    except InvalidRecipe as error:
        saved = user_recipes(Folders.from_environment().recipes)
        if saved_recipe := saved.find(name):
            return saved_recipe
        if match := nearest(name):
            terminal.note(f"Using {match.recipe.name}, the closest to llama.cpp's {match.name}. {match.difference}\n")
            return match.recipe
        raise InvalidRecipe(" ".join((error.message, *saved.problems.values()))) from error
