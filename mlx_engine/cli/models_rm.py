"""`facet models rm`: moves a model to the trash."""

import sys
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_disk
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.models.library import library
from mlx_engine.models.library.removal import Removal, move_to_trash, plan_removal


def rm(
    name: str,
    /,
    *,
    folder: AddedFolders = (),
    yes: Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)] = False,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Move a model to the trash; says what that frees, and asks.

    Args:
        name: A model by name or id, whole or damaged.
        folder: Look into this folder as well.
        yes: Do not ask.
        json: Write one JSON object: what went, and how much that frees.
    """
    model = library.find_row(roots(folder), name)
    removal = plan_removal(model)
    if not yes and not _agreed(model.id, removal):
        return 1
    move_to_trash(removal)
    if json:
        gain = {"frees_bytes": removal.frees_bytes, "shared_bytes": removal.shared_bytes}
        write_json({"id": model.id, "paths": removal.paths, **gain})
    else:
        terminal.note(f"{model.id} is in the trash. {_gain(removal)}\n")
    return 0


def _agreed(id: str, removal: Removal) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here: say --yes to delete.")
    terminal.note(f"Move {id} to the trash? {_gain(removal)} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _gain(removal: Removal) -> str:
    shared = f"; {format_disk(removal.shared_bytes)} stay, others use them" if removal.shared_bytes else ""
    return f"Emptying the trash frees {format_disk(removal.frees_bytes)}{shared}."
