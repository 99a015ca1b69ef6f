"""Finds and deletes everything stored about texts that the user pasted in. Does not import MLX."""

import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from mlx_engine.folders import Folders
from mlx_engine.measure.results.results import PASTED_TEXT
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import storage_errors


class _Source(msgspec.Struct, frozen=True):
    """The field that all versions of Facet write for references and for results."""

    corpus: str


def pasted_text_folders(folders: Folders) -> Iterator[Path]:
    """Yield the folders that contain a pasted text or parts of it, and those too damaged to know."""
    references = ((folder, folder / "corpus.json") for folder in folders.references.glob("*"))
    results = ((folder, folder / "result.json") for folder in folders.measurements.glob("fidelity/*/*"))
    for folder, file in chain(references, results):
        source = read_value(file, _Source)
        if folder.is_dir() and not folder.is_symlink() and (source is None or source.corpus == PASTED_TEXT):
            yield folder


def delete_pasted_texts(folders: Folders) -> None:
    """Delete everything stored about pasted texts.

    Raises:
        StorageError: it cannot be deleted.
    """
    for folder in list(pasted_text_folders(folders)):
        with storage_errors(folder):
            shutil.rmtree(folder)
