"""Tables on standard output, drawn by rich."""

import sys
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import OverflowMethod, RenderableType
    from rich.table import Table

_PIPE_WIDTH = 200
"""A pipe has no width; without one, rich would cut lines at 80 columns."""


def new_table(columns: Iterable[str], *, right_aligned: Container[str] = (), folds: bool = False) -> "Table":
    """Return an empty table; cells that do not fit the terminal are folded, or else cut."""
    from rich.table import Table  # noqa: PLC0415 - only tables need it

    table = Table(box=None, pad_edge=False, header_style="bold")
    overflow: OverflowMethod = "fold" if folds else "ellipsis"
    for column in columns:
        table.add_column(column, justify="right" if column in right_aligned else "left", overflow=overflow)
    return table


def print_rich(*renderables: "RenderableType") -> None:
    """Write tables and styled texts to standard output."""
    from rich.console import Console  # noqa: PLC0415 - only tables need it

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    # Captured, because rich handles a broken pipe in its own way.
    with console.capture() as rendered:
        for renderable in renderables:
            console.print(renderable)
    sys.stdout.write(rendered.get())
