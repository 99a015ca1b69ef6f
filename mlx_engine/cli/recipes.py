"""`facet recipes`: lists quantization recipes."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.table import new_table, print_rich
from mlx_engine.folders import Folders
from mlx_engine.modes import MODES
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.llamacpp import NAMES, nearest
from mlx_engine.quantize.recipes.recipe import Recipe, Treatment
from mlx_engine.quantize.recipes.user_recipes import user_recipes


def recipes(
    *,
    llama_cpp: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """List the recipes for `facet convert` and study plans, with bits per weight and purpose.

    Args:
        llama_cpp: List llama.cpp's quantization names instead, with the closest recipe and the difference.
        json: Write JSON, one object per line.
    """
    if llama_cpp:
        matches = [match for name in NAMES if (match := nearest(name))]
        rows = [{"name": match.name, "recipe": match.recipe.name, "difference": match.difference} for match in matches]
    else:
        recipes = [*RECIPES, *_saved_recipes()]
        rows = [{"name": entry.name, "bits": format_bits(entry), "purpose": entry.purpose} for entry in recipes]
    if not json:
        _print_table(rows)
    elif llama_cpp:
        for row in rows:
            write_json(row)
    else:
        for recipe in recipes:
            write_json({**msgspec.to_builtins(recipe), "bits_per_weight": format_bits(recipe)})


def _saved_recipes() -> Iterator[Recipe]:
    """Yield the user's recipes; report unreadable files on standard error."""
    saved = user_recipes(Folders.from_environment().recipes)
    for problem in saved.problems.values():
        terminal.note(f"{problem}\n")
    for entry in saved.recipes:
        purpose = entry.recipe.purpose or f"Your recipe “{entry.recipe.title}”."
        yield msgspec.structs.replace(entry.recipe, purpose=purpose)


def format_bits(recipe: Recipe) -> str:
    """Format the bits per weight, scales included: those of most matrices, and the largest, as in "4.5 to 8.5"."""
    treatments = [recipe.default, *(rule.treatment for rule in recipe.rules), *recipe.tensors.values()]
    least, most = _bits(recipe.default, recipe), max(_bits(treatment, recipe) for treatment in treatments)
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _bits(treatment: Treatment, recipe: Recipe) -> float:
    if treatment == "keep":
        return 32 if recipe.dtype == "float32" else 16
    return treatment.bits + MODES[treatment.mode].group_bits / treatment.group_size


def _print_table(rows: list[dict[str, str]]) -> None:
    table = new_table((key.capitalize() for key in rows[0]), folds=True)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*row.values())
    print_rich(table)
