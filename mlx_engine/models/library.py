"""The models in Facet's own folder: `<owner>/<name>` below it, each a model folder."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.errors import FacetError, ModelNotFound, StorageError
from mlx_engine.models.describe import BrokenDescription, ModelDescription, describe

_partial_suffix = ".partial"


def scan(models_folder: Path) -> list[ModelDescription | BrokenDescription]:
    """Return every model below `models_folder`, by name; one that cannot be used is a row that says why.

    Raises:
        StorageError: the folder is there but cannot be read.
    """
    rows = [_row(path, model_id) for model_id, path in _folders(models_folder)]
    return sorted(rows, key=lambda row: (_plain(row.name), row.id))


def find(models_folder: Path, name: str) -> ModelDescription:
    """Return the model that a person calls `name`: its id, its name, or the path of any model folder.

    Raises:
        ModelNotFound: there is none, or several; the message says which there are.
        ModelError: it is there but cannot be used.
        StorageError: it cannot be read.
    """
    folders = dict(_folders(models_folder))
    wanted = _plain(name)
    matches = [found for found in folders if wanted in (_plain(found), _plain(found.rpartition("/")[2]))]
    if name in matches:
        matches = [name]
    if len(matches) == 1:
        return describe(folders[matches[0]], matches[0])
    if matches:
        raise ModelNotFound(f"Several models are called {name!r}: {', '.join(sorted(matches))}. Say which.")
    if name and _is_folder(path := Path(name)):
        path = path.resolve()
        return describe(path, f"{path.parent.name}/{path.name}")
    there = f"Facet has {', '.join(sorted(folders))}" if folders else "Facet has no models yet"
    raise ModelNotFound(f"There is no model called {name!r}. {there}.")


def _row(path: Path, id: str) -> ModelDescription | BrokenDescription:
    try:
        return describe(path, id)
    except FacetError as error:
        return BrokenDescription(id, path, error.message)


def _folders(models_folder: Path) -> Iterator[tuple[str, Path]]:
    """Give the id and the path of each folder that should be a model."""
    for owner in _subfolders(models_folder):
        if os.access(owner, os.R_OK | os.X_OK):
            for model in _subfolders(owner):
                yield f"{owner.name}/{model.name}", model
        else:
            # Describing it says that it cannot be read.
            yield owner.name, owner


def _subfolders(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise StorageError(f"The models in {folder} cannot be read: {error.strerror}.") from error
    return [entry for entry in entries if _is_model_name(entry.name) and _is_folder(entry)]


def _is_model_name(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(_partial_suffix)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _plain(name: str) -> str:
    """Return the name without what people do not tell apart: case, and how accents are composed."""
    return unicodedata.normalize("NFC", name).casefold()
