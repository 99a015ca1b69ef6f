"""`facet models`: lists the library, shows one model of it, renames one, deletes one."""

import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter

from mlx_engine.amounts import format_disk, format_short_count
from mlx_engine.cli.models_rename import rename
from mlx_engine.cli.models_rm import rm
from mlx_engine.cli.models_show import show
from mlx_engine.cli.roots import AddedFolders, cache_file, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import model_fields, write_json
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import BrokenDescription, ModelDescription, Origin
from mlx_engine.models.library import library
from mlx_engine.models.library.duplicates import DuplicateGroup, find_duplicates

_columns = ("name", "class", "parameters", "quantization", "bits/weight", "size", "context", "license", "source")
_figures = ("parameters", "bits/weight", "size", "context")
ORIGINS: dict[Origin, str] = {
    "facet": "Facet",
    "huggingface": "Hugging Face cache",
    "lmstudio": "LM Studio",
    "added": "added folder",
}

models = App(name="models", help="List the models on this machine, show, rename or delete one.")
models.command(show)
models.command(rename)
models.command(rm)


@models.default
def list_models(
    *,
    folder: AddedFolders = (),
    duplicates: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """List the models in Facet's folder, the Hugging Face cache and LM Studio's folders.

    Args:
        folder: Look into this folder as well.
        duplicates: List only models that are there twice, and what deleting one of them frees.
        json: Write one JSON object a line; a model that cannot be used has a "problem".
    """
    found = library.scan(roots(folder), cache_file())
    for root in found.absent:
        terminal.note(f"{root.path} is not there now.\n")
    if duplicates:
        _show_duplicates(find_duplicates(found.rows), json=json)
    elif json:
        for model in found.rows:
            write_json(model_fields(model))
    elif found.rows:
        _print_table(found.rows)
    else:
        own = Folders.from_environment().models
        terminal.note(f"There are no models in {own} yet. `facet chat` prepares the starter model.\n")


def _show_duplicates(found: Sequence[DuplicateGroup], *, json: bool) -> None:
    for one in found:
        ids = [model.id for model in one.models]
        if json:
            write_json({"ids": ids, "reclaimable_bytes": one.reclaimable_bytes})
        else:
            gain = (
                f"deleting all but one frees {format_disk(one.reclaimable_bytes)}"
                if one.reclaimable_bytes
                else "on disk only once"
            )
            terminal.write(f"{', '.join(ids)}: the same weights, {gain}\n")
    if not found:
        terminal.note("No model is there twice.\n")


def _print_table(found: Sequence[library.Row]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only the table needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _columns:
        table.add_column(column, justify="right" if column in _figures else "left")
    for model in found:
        if isinstance(model, ModelDescription):
            table.add_row(*(Text(terminal.printable(cell)) for cell in _row(model)))
    problems = [f"{model.id}: {model.problem}" for model in found if isinstance(model, BrokenDescription)]
    # A pipe has no width; without one, rich would cut the columns at 80.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    # Captured, because rich has its own idea of what a reader that went away means.
    with console.capture() as rendered:
        if table.row_count:
            console.print(table)
        for problem in problems:
            console.print(Text(terminal.printable(problem), style="red"))
    sys.stdout.write(rendered.get())


def _row(model: ModelDescription) -> tuple[str, ...]:
    return (
        model.name,
        model.size_class,
        format_short_count(model.parameters),
        model.quantization,
        f"{model.bits_per_weight:.2f}",
        format_disk(model.size_bytes),
        f"{model.context_length:,}",
        model.license or "unknown",
        ORIGINS[model.origin] if model.is_runnable else f"{ORIGINS[model.origin]}, {_hindered(model)}",
    )


def _hindered(model: ModelDescription) -> str:
    return "to be imported" if model.can_be_imported else "cannot be run"
