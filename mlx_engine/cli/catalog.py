"""`facet catalog`: lists the models to begin with."""

import sys
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.amounts import format_disk, format_short_count
from mlx_engine.models.library.catalog import Recommendation, recommend
from mlx_engine.models.memory.machine import physical_memory_bytes

_columns = ("name", "class", "parameters", "suits this Mac", "download", "license", "repository")
_numbers = ("parameters", "download")


def catalog(*, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> None:
    """List the models of the catalogue, and the conversion of each that suits this Mac. It needs no network.

    Args:
        json: Write one JSON object a line; "recommended" is null if the model is too large for this Mac.
    """
    found = recommend(physical_memory_bytes())
    if json:
        for one in found:
            sys.stdout.write(msgspec.json.encode(_as_object(one)).decode() + "\n")
    else:
        _print_table(found)


def _as_object(one: Recommendation) -> dict[str, object]:
    return {
        **msgspec.structs.asdict(one.entry),
        "size_class": one.entry.size_class,
        "recommended": one.build,
        "is_first_choice": one.is_first_choice,
    }


def _print_table(found: tuple[Recommendation, ...]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only the table needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _columns:
        table.add_column(column, justify="right" if column in _numbers else "left", overflow="fold")
    for one in found:
        table.add_row(*_row(one))
    # A pipe has no width; without one, rich would cut the columns at 80.
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    # Captured, because rich has its own idea of what a reader that went away means.
    with console.capture() as rendered:
        console.print(table)
    sys.stdout.write(rendered.get())


def _row(one: Recommendation) -> tuple[str, ...]:
    suits = f"as {one.build.quantization}" if one.build else "too large"
    return (
        one.entry.name,
        one.entry.size_class,
        format_short_count(one.entry.parameters),
        f"{suits}, best to begin with" if one.is_first_choice else suits,
        format_disk(one.best_build.size_bytes),
        one.entry.license,
        one.best_build.repository,
    )
