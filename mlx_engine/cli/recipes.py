"""`facet recipes`: lists the ways to quantize a model that Facet brings along."""

import sys
from collections.abc import Iterator
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
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
    """List the recipes for `facet convert` and for plans: name, bits per weight of most matrices, purpose.

    Args:
        llama_cpp: List the names that llama.cpp has instead, the nearest recipe to each, and what differs.
        json: Write one JSON object a line.
    """
    if llama_cpp:
        found = [one for name in NAMES if (one := nearest(name))]
        rows = [{"name": one.name, "recipe": one.recipe.name, "difference": one.difference} for one in found]
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
    """Return what a weight takes, scales included: of most matrices, and of those that get the most."""
    treatments = [recipe.default, *(rule.treatment for rule in recipe.rules), *recipe.tensors.values()]
    least, most = _bits(recipe.default, recipe), max(_bits(treatment, recipe) for treatment in treatments)
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def _bits(treatment: Treatment, recipe: Recipe) -> float:
    if treatment == "keep":
        return 32 if recipe.dtype == "float32" else 16
    return treatment.bits + MODES[treatment.mode].group_bits / treatment.group_size


def _print_table(rows: list[dict[str, str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only the table needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    *short, last = rows[0]
    for column in short:
        table.add_column(column, no_wrap=True)
    table.add_column(last, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    # A pipe has no width; without one, rich would cut the columns at 80.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    # Captured, because rich has its own idea of what a reader that went away means.
    with console.capture() as rendered:
        console.print(table)
    sys.stdout.write(rendered.get())
