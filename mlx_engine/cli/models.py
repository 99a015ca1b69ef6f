"""`facet models`: lists the library."""

import sys
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import terminal
from mlx_engine.folders import Folders
from mlx_engine.models import library
from mlx_engine.models.describe import BrokenDescription, ModelDescription

_columns = ("name", "parameters", "quantization", "bits/weight", "size", "context", "licence")


def models(*, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> None:
    """List the models in Facet's folder.

    Args:
        json: Write one JSON object a line; a model that cannot be used has a "problem".
    """
    folder = Folders.from_environment().models
    found = library.scan(folder)
    if json:
        for model in found:
            sys.stdout.write(msgspec.json.encode(model, enc_hook=str).decode() + "\n")
    elif found:
        _print_table(found)
    else:
        terminal.note(f"There are no models in {folder} yet. `facet chat` prepares the starter model.\n")


def _print_table(found: list[ModelDescription | BrokenDescription]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only the table needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _columns:
        table.add_column(column, justify="left" if column in ("name", "quantization", "licence") else "right")
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
        _short(model.parameters),
        model.quantization,
        f"{model.bits_per_weight:.2f}",
        f"{_short(model.size_bytes)}B",
        f"{model.context_length:,}",
        model.licence or "unknown",
    )


def _short(number: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:g} "
