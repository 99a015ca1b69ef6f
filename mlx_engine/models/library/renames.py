"""What the command line has given other names, noted in the folder of the models until the window has been told."""

from pathlib import Path

import msgspec

from mlx_engine.models.files.staging import storage_errors

FILE_NAME = ".renamed.jsonl"

_decode = msgspec.json.Decoder(tuple[str, str]).decode


def note(models_folder: Path, old_id: str, new_id: str) -> None:
    """Keep that a model has a new id.

    Raises:
        StorageError: it could not be kept.
    """
    file = models_folder / FILE_NAME
    with storage_errors(file), file.open("ab") as out:
        out.write(msgspec.json.encode((old_id, new_id)) + b"\n")


def take(models_folder: Path) -> list[tuple[str, str]]:
    """Return the old id and the new one of each model that was renamed since this was last asked, in that order."""
    file = models_folder / FILE_NAME
    taken = file.with_suffix(".taken")
    try:
        file.replace(taken)
        lines = taken.read_bytes().splitlines()
        taken.unlink()
        return [_decode(line) for line in lines]
    except (OSError, msgspec.DecodeError):
        return []
