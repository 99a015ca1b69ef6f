"""The model folders that the user has added, read from the settings file.

The window declares the setting (`app/domain/settings.py`) and writes the file. The command line reads only this field.
"""

from pathlib import Path

import msgspec

from mlx_engine.folders import Folders


class _Settings(msgspec.Struct):
    model_folders: tuple[str, ...] = ()


def added_folders(folders: Folders) -> tuple[Path, ...]:
    """Return the added folders; empty if the settings are missing or damaged, which the window reports."""
    try:
        settings = msgspec.json.decode(folders.settings.read_bytes(), type=_Settings)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return tuple(map(Path, settings.model_folders))
