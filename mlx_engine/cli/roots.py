"""Which folders the commands about the library look into."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.folders import Folders
from mlx_engine.models.added_folders import added_folders
from mlx_engine.models.places import Root, standard_roots

AddedFolders = Annotated[tuple[Path, ...], Parameter(name="--folder", negative=(), show_default=False)]
"""The option that names further folders, besides those of the settings; it can be given several times."""


def roots(further: tuple[Path, ...] = ()) -> list[Root]:
    """Return Facet's folder, those of other programs, those added in the window, and `further` ones."""
    folders = Folders.from_environment()
    return standard_roots(folders, [*added_folders(folders), *(folder.absolute() for folder in further)])


def cache_file() -> Path:
    """Return the file in which the library remembers what it has read."""
    return Folders.from_environment().cache / "library.json"
