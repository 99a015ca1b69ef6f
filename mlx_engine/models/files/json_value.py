"""Reads a value from a JSON file that may be missing or damaged."""

from pathlib import Path
from typing import TypeVar

import msgspec

from mlx_engine.errors import FacetError

T = TypeVar("T")


def read_value(file: Path, kind: type[T]) -> T | None:
    """Return the value in the file; None if it is missing or damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, FacetError):
        return None
