"""What is kept of texts that somebody typed in: the answers to them, and what was measured on them. No MLX."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.folders import Folders
from mlx_engine.measure.kept_answers import kept_answers
from mlx_engine.measure.results import TYPED, fidelity_folder, kept_fidelity
from mlx_engine.models.staging import storage_errors


def typed(folders: Folders) -> Iterator[Path]:
    """Yield the folders in which such a text, or a part of it, stands."""
    for kept in kept_answers(folders.answers):
        if kept.header and kept.header.corpus == TYPED:
            yield kept.folder
    for result in kept_fidelity(folders.measurements):
        if result.corpus == TYPED:
            yield fidelity_folder(result, folders.measurements)


def forget_typed(folders: Folders) -> None:
    """Remove all that is kept of such texts.

    Raises:
        StorageError: it cannot be removed.
    """
    for folder in list(typed(folders)):
        with storage_errors(folder):
            shutil.rmtree(folder)
