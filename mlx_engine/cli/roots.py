"""Which folders the commands about the library look into."""

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
"""The option that names further folders, besides those of the settings; it can be given several times."""


def roots(further: tuple[Path, ...] = ()) -> list[Root]:
    """Return Facet's folder, those of other programs, those added in the window, and `further` ones."""
    folders = Folders.from_environment()
    return standard_roots(folders, [*added_folders(folders), *(folder.absolute() for folder in further)])


def model_named(name: str, further: tuple[Path, ...] = ()) -> ModelDescription:
    """Return the model that a person calls `name`: its id, its name, or the path of a folder.

    Raises:
        ModelNotFound: there is none, or several; the message says which there are, or how to get it from the Hub.
        ModelError: it cannot be used.
    """
    try:
        return library.find_model(roots(further), name)
    except ModelNotFound as error:
        raise not_found(error, name) from error


def not_found(error: ModelNotFound, name: str) -> ModelNotFound:
    """Return the error with the command that downloads the model, if its name is one of the Hub's."""
    if re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name) is None:
        return error
    return ModelNotFound(f"{error.message} If it is on the Hugging Face Hub, `facet pull {name}` downloads it.")


def cache_file() -> Path:
    """Return the file in which the library remembers what it has read."""
    return Folders.from_environment().cache / "library.json"
