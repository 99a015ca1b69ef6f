"""The recipe that a person names: one that Facet brings along, a file, or what comes nearest to llama.cpp's name."""

from pathlib import Path

from mlx_engine.cli import terminal
from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize import builtin
from mlx_engine.quantize.llamacpp import nearest
from mlx_engine.quantize.recipe import Recipe
from mlx_engine.quantize.recipe_file import read_recipe


def named(name: str) -> Recipe:
    """Return the recipe; where it only comes near to llama.cpp's, say on standard error what differs.

    Raises:
        InvalidRecipe: there is none of that name, or the file has none.
        StorageError: the file cannot be read.
    """
    if name.endswith(".json"):
        return read_recipe(Path(name))
    try:
        return builtin.recipe(name)
    except InvalidRecipe:
        found = nearest(name)
        if found is None:
            raise
    terminal.note(f"{found.name} is llama.cpp's; {found.recipe.name} comes nearest to it. {found.difference}\n")
    return found.recipe
