"""Writes a file to the user's chosen location, completely or not at all."""

import os
from pathlib import Path

from mlx_engine.errors import NoSpace, NotWritten, StorageError
from mlx_engine.models.files.staging import storage_errors


def write_output(file: Path, content: bytes) -> None:
    """Write `content` to `file`, replacing an existing file. Links are followed, and devices written to.

    Raises:
        NotWritten: the folder does not exist, `file` is a folder, or it cannot be written.
        NoSpace: the disk is full.
    """
    try:
        with storage_errors(file):
            _check(file)
            _write(file, content)
    except (NoSpace, NotWritten):
        raise
    except StorageError as error:
        raise NotWritten(error.message) from error


def _write(file: Path, content: bytes) -> None:
    if file.exists() and not file.is_file():
        file.write_bytes(content)
        return
    file = Path(os.path.realpath(file))
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _check(file: Path) -> None:
    if not file.parent.is_dir():
        raise NotWritten(f"The folder {file.parent} does not exist. Create it or choose another one.")
    if file.is_dir():
        raise NotWritten(f"{file} is a folder. Choose a file name in it.")
    if not os.access(file.parent, os.W_OK):
        raise NotWritten(f"Facet does not have permission to write to {file.parent}. Choose another folder.")
