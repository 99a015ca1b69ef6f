"""Finds the model that a command line names, in Facet's folder and in those of other programs."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.errors import ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.library import library
from mlx_engine.models.library.added_folders import added_folders
from mlx_engine.models.library.locations import Root, standard_roots

AddedFolders = Annotated[tuple[Path, ...], Parameter(name="--folder", negative=(), show_default=False)]
"""Option for additional model folders, besides those in the settings. Can be repeated."""


def roots(additional: tuple[Path, ...] = ()) -> list[Root]:
    """Return Facet's folder, those of other programs, those added in the window, and `additional` ones."""
    folders = Folders.from_environment()
    return standard_roots(folders, [*added_folders(folders), *(folder.absolute() for folder in additional)])


def find_model(name: str, additional: tuple[Path, ...] = ()) -> ModelDescription:
    """Return the model with this id or name, or in this folder.

    Raises:
        ModelNotFound: no model, or more than one, matches; the message lists candidates or the command to download it.
        ModelError: the model cannot be used.
    """
    try:
        return library.find_model(roots(additional), name)
    except ModelNotFound as error:
        raise suggest_pull(error, name) from error


def suggest_pull(error: ModelNotFound, name: str) -> ModelNotFound:
    """Return the error with the command that downloads the model, if `name` has the form of a Hub repository."""
    if re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name) is None:
        return error
    return ModelNotFound(f"{error.message} If it is on the Hugging Face Hub, download it with `facet pull {name}`.")


def cache_file() -> Path:
    """Return the file that caches the library's last scan."""
    return Folders.from_environment().cache / "library.json"
