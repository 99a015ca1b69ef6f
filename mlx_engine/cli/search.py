"""`facet search`: finds models on the Hugging Face Hub."""

import sys
from typing import Annotated

from cyclopts import Parameter

from mlx_engine import protocol
from mlx_engine.amounts import DISK_GB, format_disk, format_short_count
from mlx_engine.cli import job
from mlx_engine.cli.views import terminal
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import ModelGroup, Search, SearchFilters, SearchOrder, SearchResults, Variant
from mlx_engine.models.description.size_class import SizeClass
from mlx_engine.models.memory.machine import this_machine

_columns = ("repository", "quantization", "parameters", "size", "license", "downloads", "likes", "updated")
_right = ("parameters", "size", "downloads", "likes")


def search(  # noqa: PLR0913 - one option a filter
    query: Annotated[str, Parameter(show_default=False)] = "",
    /,
    *,
    author: str = "",
    size_class: Annotated[tuple[SizeClass, ...], Parameter(name="--class", negative=())] = (),
    license: str = "",
    max_gb: float = 0,
    fits: Annotated[bool, Parameter(negative=())] = False,
    gated: Annotated[bool | None, Parameter(negative="--no-gated")] = None,
    any_format: Annotated[bool, Parameter(negative=())] = False,
    any_task: Annotated[bool, Parameter(negative=())] = False,
    order: SearchOrder = "downloads",
    limit: int = 60,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Search the Hugging Face Hub; the quantizations of one model stand together.

    Args:
        query: Words of the name.
        author: Only this person's or organization's.
        size_class: Only models of this class, by parameters: nano < 100M, micro < 1.4B, small < 14B, medium ≤ 30B,
            large. Can be given several times.
        license: Only under this license, as the Hub calls it, e.g. apache-2.0.
        max_gb: Only with weights of at most so many gigabytes.
        fits: Only with weights that fit this machine beside its reserve; the context is not counted.
        gated: Only models whose conditions must be accepted; --no-gated: only others.
        any_format: Not only models made for MLX.
        any_task: Not only models that write text.
        order: What comes first.
        limit: Look at so many repositories at most.
        json: Write one JSON object a line for each base model, with its variants.
    """
    limits = (max_gb * DISK_GB, this_machine().available_bytes if fits else 0)
    filters = SearchFilters(
        text=query,
        author=author,
        only_mlx=not any_format,
        only_text_generation=not any_task,
        size_classes=size_class,
        largest_bytes=int(min(filter(None, limits), default=0)),
        license=license,
        gated=gated,
        order=order,
        limit=limit,
    )
    for event in job.run(Search("search", filters), Folders.from_environment()):
        if isinstance(event, SearchResults):
            show(event.groups, json=json)


def show(groups: tuple[ModelGroup, ...], *, json: bool) -> None:
    """Write what was found to standard output."""
    if json:
        for group in groups:
            sys.stdout.write(protocol.encode(group).decode())
    elif groups:
        _print_table(groups)
    else:
        terminal.note("Nothing was found. Try fewer words or filters.\n")


def _print_table(groups: tuple[ModelGroup, ...]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only the table needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _columns:
        table.add_column(column, justify="right" if column in _right else "left")
    for group in groups:
        table.add_row(Text(terminal.printable(group.base_model), style="bold"))
        for variant in group.variants:
            table.add_row(*(Text(terminal.printable(cell)) for cell in _row(variant)))
    # A pipe has no width; without one, rich would cut the columns at 80.
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)


def _row(variant: Variant) -> tuple[str, ...]:
    return (
        "  " + variant.repository + (" (gated)" if variant.gated else ""),
        variant.quantization or "-",
        format_short_count(variant.parameters) if variant.parameters else "-",
        format_disk(variant.size_bytes) if variant.size_bytes else "-",
        variant.license or "unknown",
        f"{variant.downloads:,}",
        f"{variant.likes:,}",
        variant.updated,
    )
