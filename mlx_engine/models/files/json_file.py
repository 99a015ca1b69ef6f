"""Reads JSON files of a model folder, which are not trusted."""

from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.errors import BrokenModel

_limit_bytes = 64 * 2**20


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of a model folder.

    Raises:
        BrokenModel: the file is missing or damaged.
    """
    if not path.is_file():
        raise BrokenModel(f"{path.name} is missing. Download the model again.")
    if path.stat().st_size > _limit_bytes:
        raise BrokenModel(f"{path.name} is damaged: it is far too large. Download the model again.")
    try:
        # Some configurations contain Infinity, which JSON lacks, as text.
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenModel(f"{path.name} is damaged: {error}. Download the model again.") from error
