"""Reads values from files that are not trusted."""

from pathlib import Path
from typing import TypeVar

import msgspec

from mlx_engine.errors import FacetError

T = TypeVar("T")


def bounded(value: object, most: int) -> int | None:
    """Return `value` as an integer if it is a number from 1 to `most`, else None; True is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most:
        return None
    return int(value)


def read_value(file: Path, kind: type[T]) -> T | None:
    """Return the value in the file; None if it is missing or damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError, FacetError):
        return None
