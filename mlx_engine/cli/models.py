"""`facet models`: lists the library; shows, renames and deletes models."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter

from mlx_engine.amounts import format_disk, format_short_count
from mlx_engine.cli.model_lookup import AddedFolders, cache_file, roots
from mlx_engine.cli.models_rename import rename
from mlx_engine.cli.models_rm import rm
from mlx_engine.cli.models_show import show
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import model_fields, write_json
from mlx_engine.cli.views.table import new_table, print_rich
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import BrokenDescription, ModelDescription, Origin
from mlx_engine.models.library import library
from mlx_engine.models.library.duplicates import DuplicateGroup, find_duplicates

_COLUMNS = ("Name", "Class", "Parameters", "Quantization", "Bits/weight", "On disk", "Context", "License", "Location")
_NUMBERS = ("Parameters", "Bits/weight", "On disk", "Context")
_LOCATIONS: dict[Origin, str] = {
    "facet": "Facet",
    "huggingface": "Hugging Face",
    "lmstudio": "LM Studio",
    "added": "Added folder",
}

models = App(name="models", help="List, show, rename or delete the models on this Mac.")
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
    """List the models in Facet's folder, the Hugging Face cache, LM Studio's folders and added folders.

    Args:
        folder: Also look in this folder. Can be repeated.
        duplicates: List only models with the same weights, and the disk space that deleting the copies frees.
        json: Write JSON, one object per line; a damaged model has a "problem".
    """
    survey = library.scan(roots(folder), cache_file())
    for root in survey.absent:
        terminal.note(f"The folder {root.path} is not available.\n")
    if duplicates:
        _show_duplicates(find_duplicates(survey.rows), json=json)
    elif json:
        for model in survey.rows:
            write_json(model_fields(model))
    elif survey.rows:
        _print_table(survey.rows)
    else:
        models_folder = Folders.from_environment().models
        terminal.note(f"No models in {models_folder} yet. Run `facet chat` to chat with the starter model.\n")


def _show_duplicates(groups: Sequence[DuplicateGroup], *, json: bool) -> None:
    for group in groups:
        ids = [model.id for model in group.models]
        if json:
            write_json({"ids": ids, "reclaimable_bytes": group.reclaimable_bytes})
        else:
            gain = (
                f"deleting all but one frees {format_disk(group.reclaimable_bytes)}"
                if group.reclaimable_bytes
                else "shared files"
            )
            terminal.write(f"{', '.join(ids)}: same weights, {gain}\n")
    if not groups:
        terminal.note("No duplicates.\n")


def _print_table(rows: Sequence[library.Row]) -> None:
    from rich.text import Text  # noqa: PLC0415 - only the table needs it

    table = new_table(_COLUMNS, right_aligned=_NUMBERS)
    for model in rows:
        if isinstance(model, ModelDescription):
            table.add_row(*(Text(terminal.printable(cell)) for cell in _row(model)))
    problems = [f"{model.id}: {model.problem}" for model in rows if isinstance(model, BrokenDescription)]
    lines = (Text(terminal.printable(problem), style="red") for problem in problems)
    print_rich(*([table] if table.row_count else []), *lines)


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
        _location(model),
    )


def _location(model: ModelDescription) -> str:
    location = _LOCATIONS[model.origin]
    if model.is_runnable:
        return location
    return f"{location}, needs import" if model.can_be_imported else f"{location}, can't run"
