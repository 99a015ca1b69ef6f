"""`facet models rm`: moves a model to the Trash."""

import sys
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_disk
from mlx_engine.cli.model_lookup import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import FAILED, UsageError
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.models.library import library
from mlx_engine.models.library.removal import Removal, move_to_trash, plan_removal


def rm(
    model: str,
    /,
    *,
    folder: AddedFolders = (),
    yes: Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)] = False,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Move a model to the Trash, after confirmation.

    Args:
        model: Name or id of a model; damaged models can be deleted too.
        folder: Also look in this folder. Can be repeated.
        yes: Delete without confirmation.
        json: Write one JSON object with the deleted paths and the disk space they free.
    """
    row = library.find_row(roots(folder), model)
    removal = plan_removal(row)
    if not yes and not _confirm(row.id, removal):
        return FAILED
    move_to_trash(removal)
    if json:
        sizes = {"frees_bytes": removal.frees_bytes, "shared_bytes": removal.shared_bytes}
        write_json({"id": row.id, "paths": removal.paths, **sizes})
    else:
        terminal.note(f"Moved {row.id} to the Trash. {_effect(removal)}\n")
    return 0


def _confirm(model_id: str, removal: Removal) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Deleting needs confirmation. Add --yes to delete without asking.")
    terminal.note(f"Move {model_id} to the Trash? {_effect(removal)} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _effect(removal: Removal) -> str:
    shared = f"; {format_disk(removal.shared_bytes)} shared with other models is kept" if removal.shared_bytes else ""
    return f"Emptying the Trash frees {format_disk(removal.frees_bytes)}{shared}."
