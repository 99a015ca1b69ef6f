"""`facet models rename`: gives a model of Facet's own folder another name."""

from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli.roots import roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.folders import Folders
from mlx_engine.models.library import library, removal, renames


def rename(
    old: str,
    new: str,
    /,
    *,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Give a model of Facet's own folder another name; one that is loaded is left alone.

    Conversations of the window go along when it looks at its models the next time.

    Args:
        old: A model by name or id, whole or damaged.
        new: The name that it gets, without its owner.
        json: Write one JSON object: the new id and where the model is now.
    """
    model = library.find_row(roots(), old)
    models = Folders.from_environment().models
    path = removal.rename(model, models, new)
    new_id = f"{model.id.rpartition('/')[0]}/{path.name}"
    renames.record(models, model.id, new_id)
    if json:
        write_json({"id": new_id, "path": path})
    else:
        terminal.note(f"{model.id} is called {new_id} now.\n")
