"""`facet search`: finds models on the Hugging Face Hub."""

import sys
from typing import Annotated

from cyclopts import Parameter

from mlx_engine import protocol
from mlx_engine.amounts import DISK_GB, format_disk, format_short_count
from mlx_engine.cli import job
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.table import new_table, print_rich
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import ModelGroup, Search, SearchFilters, SearchOrder, SearchResults, Variant
from mlx_engine.models.description.size_class import SizeClass
from mlx_engine.models.memory.machine import this_machine

_COLUMNS = ("Repository", "Quantization", "Parameters", "Size", "License", "Downloads", "Likes", "Updated")
_NUMBERS = ("Parameters", "Size", "Downloads", "Likes")


def search(  # noqa: PLR0913 - one option a filter
    query: Annotated[str, Parameter(show_default=False)] = "",
    /,
    *,
    author: Annotated[str, Parameter(show_default=False)] = "",
    size_class: Annotated[tuple[SizeClass, ...], Parameter(name="--class", negative=(), show_default=False)] = (),
    license: Annotated[str, Parameter(show_default=False)] = "",
    max_gb: Annotated[float, Parameter(show_default=False)] = 0,
    fits: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    gated: Annotated[bool | None, Parameter(negative="--no-gated")] = None,
    any_format: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    any_task: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    order: SearchOrder = "downloads",
    limit: int = 60,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Search the Hugging Face Hub. Results are grouped by base model.

    Args:
        query: Words to search for.
        author: Only models of this user or organization.
        size_class: Only models of this size class, by parameters: nano < 100M, micro < 1.4B, small < 14B, medium ≤ 30B,
            large. Can be repeated.
        license: Only models with this license, as identified on the Hub, such as apache-2.0.
        max_gb: Only models with weights of at most this many gigabytes.
        fits: Only models whose weights fit in this Mac's memory. The KV cache is not counted.
        gated: Only gated models, whose terms must be accepted; with --no-gated, only models without terms.
        any_format: Include models that are not in MLX format.
        any_task: Include models that do not generate text.
        order: Sort order.
        limit: Maximum number of repositories.
        json: Write JSON, one object per line for each base model, with its variants.
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
    """Write the results to standard output."""
    if json:
        for group in groups:
            sys.stdout.write(protocol.encode(group).decode())
    elif groups:
        _print_table(groups)
    else:
        terminal.note("No results. Try fewer words or remove a filter.\n")


def _print_table(groups: tuple[ModelGroup, ...]) -> None:
    from rich.text import Text  # noqa: PLC0415 - only the table needs it

    table = new_table(_COLUMNS, right_aligned=_NUMBERS)
    for group in groups:
        table.add_row(Text(terminal.printable(group.base_model), style="bold"))
        for variant in group.variants:
            table.add_row(*(Text(terminal.printable(cell)) for cell in _row(variant)))
    print_rich(table)


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
