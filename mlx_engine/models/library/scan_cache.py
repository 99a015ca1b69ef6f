"""A cache of model descriptions, so that unchanged models are not read again.

An entry is valid until a file at its location changes its size, time or inode. All entries expire when the version of
Facet or mlx-lm changes, since descriptions depend on both.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.library.locations import ModelLocation
from mlx_engine.versions import version_of

_format = 1


class _Entry(msgspec.Struct, frozen=True):
    stamp: str
    model: ModelDescription


class _Content(msgspec.Struct):
    written_by: str
    entries: dict[str, _Entry]


class ScanCache:
    """Descriptions by path, stored in a file; without a file, nothing is cached."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._old = _read(file) if file else {}
        self._new: dict[str, _Entry] = {}

    def get(self, location: ModelLocation) -> ModelDescription | None:
        """Return the model at the location if its entry is still valid."""
        entry = self._old.get(str(location.path))
        if entry is None or entry.stamp != location.stamp:
            return None
        self._new[str(location.path)] = entry
        return entry.model if entry.model.id == location.id else replace(entry.model, id=location.id)

    def put(self, location: ModelLocation, model: ModelDescription) -> None:
        """Store a model. Broken models are never stored, since stamps do not reflect changed permissions or links."""
        self._new[str(location.path)] = _Entry(location.stamp, model)

    def keep(self, folder: Path) -> None:
        """Keep the entries below a folder that is unavailable, such as one on a disconnected disk."""
        self._new |= {path: entry for path, entry in self._old.items() if Path(path).is_relative_to(folder)}

    def save(self) -> None:
        """Write the entries used since the file was read, if they differ. Failures are ignored: it is only a cache."""
        if self._file is None or self._new == self._old:
            return
        content = msgspec.json.encode(_Content(_writer(), self._new), enc_hook=str)
        partial = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(self._file)


def _read(file: Path) -> dict[str, _Entry]:
    try:
        content = msgspec.json.decode(file.read_bytes(), type=_Content, dec_hook=_decode_path)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return content.entries if content.written_by == _writer() else {}


def _decode_path(kind: type, value: Any) -> Path:
    if kind is not Path or not isinstance(value, str):
        raise TypeError(f"The cache cannot contain {kind}.")
    return Path(value)


def _writer() -> str:
    return f"{_format} facet {version_of('facet')} mlx-lm {version_of('mlx-lm')}"
