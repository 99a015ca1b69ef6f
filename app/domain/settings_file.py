"""`settings.json`: the settings on disk. Writes are atomic and preserve fields of newer versions of Facet.

An invalid value falls back to its default; a file that is not a JSON object is moved aside. Both set `notice`.
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
    """The file and its settings. `notice` is empty, or a sentence for the user."""

    def __init__(self, path: Path) -> None:
        """Read the file, which may be missing.

        Raises:
            StorageError: the file exists but cannot be read.
        """
        self.path = path
        self.notice = ""
        self._content = self._read()
        self.settings = self._validated(Settings, self._content)

    def save(self, settings: Settings) -> None:
        """Replace all settings and write the file.

        Raises:
            StorageError: the file cannot be written; the old one is unchanged.
        """
        self.settings = settings
        values = _merged({"version": VERSION} | self._content, msgspec.to_builtins(settings))
        content = msgspec.json.format(msgspec.json.encode(values), indent=2)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self.path, content + b"\n")
        except OSError as error:
            raise StorageError(f"Couldn't save the settings to {self.path}: {error.strerror}.") from error

    def _read(self) -> dict[str, Any]:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"Couldn't read the settings from {self.path}: {error.strerror}.") from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.notice = _move_aside(self.path)
            return {}

    def _validated(self, struct: type[S], content: dict[str, Any]) -> S:
        values: dict[str, Any] = {}
        for field in msgspec.structs.fields(struct):
            value = content.get(field.name, field.default)
            try:
                if isinstance(field.default, msgspec.Struct) and isinstance(value, dict):
                    values[field.name] = self._validated(type(field.default), value)
                else:
                    values[field.name] = msgspec.convert(value, field.type)
            except msgspec.ValidationError:
                self.notice = f"{self.path.name} has an invalid value for {field.name}; the default is used."
        return struct(**values)


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the new values plus, at every depth, the old ones under other names."""
    merged = old | new
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(section := old.get(name), dict):
            merged[name] = _merged(section, value)
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


def _move_aside(path: Path) -> str:
    backup = path.with_name(f"{path.stem}.damaged{path.suffix}")
    try:
        path.replace(backup)
    except OSError as error:
        raise StorageError(f"{path} is damaged and couldn't be moved aside: {error.strerror}.") from error
    return f"Couldn't read {path.name}. The file was kept as {backup.name}, and the defaults are used."
