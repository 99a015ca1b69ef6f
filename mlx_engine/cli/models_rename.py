"""`facet models rename`: renames a model in Facet's folder."""

from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli.model_lookup import roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.folders import Folders
from mlx_engine.models.library import library, removal, renames


def rename(
    model: str,
    new_name: str,
    /,
    *,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Rename a model in Facet's folder. A loaded model can't be renamed.

    Chats with the model keep working.

    Args:
        model: Name or id of a model; damaged models can be renamed too.
        new_name: The new name, without the owner.
        json: Write one JSON object with the new id and path.
    """
    row = library.find_row(roots(), model)
    models_folder = Folders.from_environment().models
    path = removal.rename(row, models_folder, new_name)
    new_id = f"{row.id.rpartition('/')[0]}/{path.name}"
    renames.record(models_folder, row.id, new_id)
    if json:
        write_json({"id": new_id, "path": path})
    else:
        terminal.note(f"Renamed {row.id} to {new_id}.\n")
