"""What is kept of texts that somebody typed in: the answers to them, and what was measured on them. No MLX."""

import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from mlx_engine.folders import Folders
from mlx_engine.measure.results.results import PASTED_TEXT
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import storage_errors


class _Said(msgspec.Struct, frozen=True):
    """Of what the answers, or the result, are; in all versions of Facet."""

    corpus: str


def pasted_text_folders(folders: Folders) -> Iterator[Path]:
    """Yield the folders in which such a text, or a part of it, stands; and those that are too damaged to tell."""
    answers = ((folder, folder / "reading.json") for folder in folders.references.glob("*"))
    results = ((folder, folder / "result.json") for folder in folders.measurements.glob("fidelity/*/*"))
    for folder, file in chain(answers, results):
        said = read_value(file, _Said)
        if folder.is_dir() and not folder.is_symlink() and (said is None or said.corpus == PASTED_TEXT):
            yield folder


def delete_pasted_texts(folders: Folders) -> None:
    """Remove all that is kept of such texts.

    Raises:
        StorageError: it cannot be removed.
    """
    for folder in list(pasted_text_folders(folders)):
        with storage_errors(folder):
            shutil.rmtree(folder)
