"""Remembers what was found in each place, so that a library in which nothing has changed is not read again.

An entry holds as long as no file of its place has changed its size, its time or its identity. All are forgotten when
Facet or mlx-lm is another version, since both decide what is said of a model.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.library.places import Place
from mlx_engine.versions import version_of

_format = 1


class _Entry(msgspec.Struct, frozen=True):
    stamp: str
    model: ModelDescription


class _Content(msgspec.Struct):
    made_by: str
    entries: dict[str, _Entry]


class ScanCache:
    """The entries in a file; without a file nothing is remembered."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._old = _read(file) if file else {}
        self._new: dict[str, _Entry] = {}

    def get(self, place: Place) -> ModelDescription | None:
        """Return what is known of the place, if that still holds."""
        entry = self._old.get(str(place.path))
        if entry is None or entry.stamp != place.stamp:
            return None
        self._new[str(place.path)] = entry
        return entry.model if entry.model.id == place.id else replace(entry.model, id=place.id)

    def put(self, place: Place, model: ModelDescription) -> None:
        """Remember what was found. What is broken is not remembered: rights and links leave no trace in a stamp."""
        self._new[str(place.path)] = _Entry(place.stamp, model)

    def keep(self, folder: Path) -> None:
        """Remember what lies below a folder that cannot be looked into now, as on a disk that is unplugged."""
        self._new |= {path: entry for path, entry in self._old.items() if Path(path).is_relative_to(folder)}

    def save(self) -> None:
        """Write what was asked for since the file was read, if that differs. A disk that takes nothing is no matter."""
        if self._file is None or self._new == self._old:
            return
        content = msgspec.json.encode(_Content(_maker(), self._new), enc_hook=str)
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            beside.replace(self._file)


def _read(file: Path) -> dict[str, _Entry]:
    try:
        content = msgspec.json.decode(file.read_bytes(), type=_Content, dec_hook=_decode_path)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return content.entries if content.made_by == _maker() else {}


def _decode_path(kind: type, value: Any) -> Path:
    if kind is not Path or not isinstance(value, str):
        raise TypeError(f"There is no {kind} in the cache.")
    return Path(value)


def _maker() -> str:
    return f"{_format} facet {version_of('facet')} mlx-lm {version_of('mlx-lm')}"
