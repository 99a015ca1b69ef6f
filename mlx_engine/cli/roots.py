"""Which folders the commands about the library look into."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.folders import Folders
from mlx_engine.models.places import Root, standard_roots

AddedFolders = Annotated[tuple[Path, ...], Parameter(name="--folder", negative=(), show_default=False)]
"""The option that names further folders; it can be given several times."""


def roots(added: tuple[Path, ...]) -> list[Root]:
    """Return Facet's folder, those of other programs, and the added ones."""
    return standard_roots(Folders.from_environment(), [folder.absolute() for folder in added])


def cache_file() -> Path:
    """Return the file in which the library remembers what it has read."""
    return Folders.from_environment().cache / "library.json"
