"""A log of models that the command line has renamed, in the models folder, for the window to read once."""

from pathlib import Path

import msgspec

from mlx_engine.models.files.staging import storage_errors

FILE_NAME = ".renamed.jsonl"

_decode = msgspec.json.Decoder(tuple[str, str]).decode


def record(models_folder: Path, old_id: str, new_id: str) -> None:
    """Append the new id of a model.

    Raises:
        StorageError: the log cannot be written.
    """
    file = models_folder / FILE_NAME
    with storage_errors(file), file.open("ab") as out:
        out.write(msgspec.json.encode((old_id, new_id)) + b"\n")


def pop_all(models_folder: Path) -> list[tuple[str, str]]:
    """Return the old and new ids of the models renamed since the last call, in that order, and clear the log."""
    file = models_folder / FILE_NAME
    private = file.with_suffix(".reading")
    try:
        file.replace(private)
        lines = private.read_bytes().splitlines()
        private.unlink()
        return [_decode(line) for line in lines]
    except (OSError, msgspec.DecodeError):
        return []
