"""Writes a file where a person wants it, whole or not at all."""

import os
from pathlib import Path

from mlx_engine.errors import NoSpace, NotWritten, StorageError
from mlx_engine.models.files.staging import storage_errors


def write_output(file: Path, content: bytes) -> None:
    """Write `content` to `file`, over one that is there; a link leads to its file, and a device is written to.

    Raises:
        NotWritten: there is no such folder, `file` is one, or it cannot be written.
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
        raise NotWritten(f"There is no folder {file.parent}. Make it, or choose another.")
    if file.is_dir():
        raise NotWritten(f"{file} is a folder. Name a file in it.")
    if not os.access(file.parent, os.W_OK):
        raise NotWritten(f"Facet may not write in {file.parent}. Choose another folder.")
