"""A hash that identifies a model by its weights and configuration, regardless of its folder."""

import hashlib
from pathlib import Path

from mlx_engine.errors import StorageError
from mlx_engine.models.files.weight_files import weight_files


def fingerprint(model: Path) -> str:
    """Return a SHA-256 of the weights and the configuration in the folder `model`, all of which are read.

    Raises:
        ModelError: the weights are missing.
        StorageError: a file cannot be read.
    """
    files = weight_files(model).files
    total = hashlib.sha256()
    try:
        for path in (model / "config.json", *files):
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise StorageError(f"Couldn't read {error.filename}: {error.strerror}.") from error
    return total.hexdigest()
