"""`settings.json`: the settings on disk. Replaced in one piece; what a newer Facet wrote there is kept.

A value that is not legal falls back to its default; a file that is no JSON object is put aside. Both are told.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from app.domain.settings import Settings
from mlx_engine.errors import StorageError

VERSION = 1

S = TypeVar("S", bound=msgspec.Struct)


class SettingsFile:
    """The file and what was found in it. `notice` is empty, or a sentence to show."""

    def __init__(self, path: Path) -> None:
        """Read the file, which may be missing.

        Raises:
            StorageError: it is there but cannot be read.
        """
        self.path = path
        self.notice = ""
        self._found = self._read()
        self.settings = self._legal(Settings, self._found)

    def save(self, settings: Settings) -> None:
        """Take all values and write them.

        Raises:
            StorageError: the file cannot be written; the old one is whole.
        """
        self.settings = settings
        values = _merged({"version": VERSION} | self._found, msgspec.to_builtins(settings))
        content = msgspec.json.format(msgspec.json.encode(values), indent=2)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self.path, content + b"\n")
        except OSError as error:
            raise StorageError(f"The settings cannot be written to {self.path}: {error.strerror}.") from error

    def _read(self) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"The settings cannot be read from {self.path}: {error.strerror}.") from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.notice = _put_aside(self.path)
            return {}

    def _legal(self, struct: type[S], found: dict[str, Any]) -> S:
        values: dict[str, Any] = {}
        for field in msgspec.structs.fields(struct):
            value = found.get(field.name, field.default)
            try:
                if isinstance(field.default, msgspec.Struct) and isinstance(value, dict):
                    values[field.name] = self._legal(type(field.default), value)
                else:
                    values[field.name] = msgspec.convert(value, field.type)
            except msgspec.ValidationError:
                self.notice = f"{self.path.name} has no legal value for {field.name}; its default is used."
        return struct(**values)


def _merged(found: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return the known values and, at every depth, those found under names that this version does not know."""
    merged = found | known
    for name, value in known.items():
        if isinstance(value, dict) and isinstance(within := found.get(name), dict):
            merged[name] = _merged(within, value)
    return merged


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _put_aside(path: Path) -> str:
    kept = path.with_name(f"{path.stem}.damaged{path.suffix}")
    try:
        path.replace(kept)
    except OSError as error:
        raise StorageError(f"{path} is damaged and cannot be put aside: {error.strerror}.") from error
    return f"{path.name} could not be understood. It is kept as {kept.name}; the defaults are used."
