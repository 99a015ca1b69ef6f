"""Removes the original of a conversion when the result is complete, and checks beforehand that this is possible."""

from pathlib import Path

from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.models.description.describe import describe
from mlx_engine.models.library import removal


def require_removable(path: Path) -> None:
    """Check that the model at `path` can be removed.

    Raises:
        ModelError: it is missing or damaged.
        RequestError: it is loaded.
        StorageError: it is being downloaded, or cannot be read.
    """
    removal.plan_removal(describe(path, path.name))


def remove(path: Path) -> str:
    """Delete the original permanently; return the reason that it could not be deleted, "" if it is gone."""
    try:
        removal.delete_permanently(removal.plan_removal(describe(path, path.name)))
    except ModelNotFound:
        return ""
    except FacetError as error:
        return f"Couldn't remove the original. You can delete it later. {error.message}"
    return ""
