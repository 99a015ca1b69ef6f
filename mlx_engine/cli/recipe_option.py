"""The recipe that a person names: one that Facet brings along, one of their own, a file, or what comes nearest to
llama.cpp's name.
"""

from pathlib import Path

import msgspec

from mlx_engine.cli.views import terminal
from mlx_engine.errors import InvalidRecipe
from mlx_engine.folders import Folders
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.llamacpp import nearest
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.recipe_file import read_recipe
from mlx_engine.quantize.recipes.user_recipes import folder_name, own_recipes


def named(name: str) -> Recipe:
    """Return the recipe, by a name that a folder can have; where it only comes near to llama.cpp's, say on standard
    error what differs.

    Raises:
        InvalidRecipe: there is none of that name, or the file has none.
        StorageError: the file cannot be read.
    """
    if name.endswith(".json"):
        recipe = read_recipe(Path(name))
        return msgspec.structs.replace(recipe, name=folder_name(recipe.name))
    try:
        return builtin.recipe(name)
    except InvalidRecipe as error:
        own = own_recipes(Folders.from_environment().recipes)
        if recipe_of_own := own.named(name):
            return recipe_of_own
        if found := nearest(name):
            terminal.note(f"{found.name} is llama.cpp's; {found.recipe.name} comes nearest to it. {found.difference}\n")
            return found.recipe
        raise InvalidRecipe(" ".join((error.message, *own.problems))) from error
