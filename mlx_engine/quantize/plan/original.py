"""Removes the original of a conversion once the result is whole: whether it may go, before; and why it stays, after."""

from pathlib import Path

from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.models.description.describe import describe
from mlx_engine.models.library import removal


def require_removable(path: Path) -> None:
    """See that the model at `path` may go.

    Raises:
        ModelError: it is missing or damaged.
        RequestError: it is loaded.
        StorageError: it is being downloaded, or cannot be read.
    """
    removal.plan_removal(describe(path, path.name))


def remove(path: Path) -> str:
    """Remove it past the trash; return why it stays, in a sentence or two, "" if it is gone."""
    try:
        removal.delete_permanently(removal.plan_removal(describe(path, path.name)))
    except ModelNotFound:
        return ""
    except FacetError as error:
        return f"The original was not removed, and can be deleted later. {error.message}"
    return ""
