"""The folders of models that a person has added, as the settings on disk have them.

The window declares the setting (`app/domain/settings.py`) and writes the file; what looks for models without a window
reads this one field of it, and nothing else.
"""

from pathlib import Path

import msgspec

from mlx_engine.folders import Folders


class _Settings(msgspec.Struct):
    model_folders: tuple[str, ...] = ()


def added_folders(folders: Folders) -> tuple[Path, ...]:
    """Return them; none if there are no settings, or damaged ones, of which the window tells."""
    try:
        kept = msgspec.json.decode(folders.settings.read_bytes(), type=_Settings)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    return tuple(map(Path, kept.model_folders))
