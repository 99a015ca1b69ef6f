"""`facet prepare`: makes the starter model ready, so that the first chat needs no download."""

from mlx_engine.cli.views import terminal
from mlx_engine.folders import Folders
from mlx_engine.models.library import starter


def prepare() -> None:
    """Prepare the starter model; nothing happens if it is there."""
    prepared_starter(Folders.from_environment())


def prepared_starter(folders: Folders) -> str:
    """Return the id of the starter model, prepared if it was not.

    Raises:
        ModelError: the package that carries it is not installed, or damaged.
        StorageError: it cannot be written.
    """
    if not starter.is_installed(folders):
        terminal.note("Preparing the starter model; this takes a few seconds, once.\n")
        starter.prepare(folders)
    return starter.STARTER_ID
