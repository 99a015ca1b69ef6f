"""The settings with Qt signals."""

from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from app.domain.settings import Settings, check, fields
from app.domain.settings_file import SettingsFile
from mlx_engine.errors import StorageError


class Preferences(QObject):
    """`settings` holds all values; `set` validates one and writes the file."""

    changed = Signal(str)  # name of the field
    problem = Signal(str, str)  # title, message

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        """Read the file. `notice` is a sentence for the user about the file, or empty.

        Raises:
            StorageError: the file cannot be read.
        """
        super().__init__(parent)
        self._file = SettingsFile(path)
        self.notice = self._file.notice

    @property
    def settings(self) -> Settings:
        return self._file.settings

    def get(self, name: str) -> Any:
        return getattr(self.settings, name)

    def set(self, name: str, value: Any) -> None:
        """Change one value. If the file cannot be written, the change lasts until Facet quits.

        Raises:
            InvalidParameter: the value is out of range.
        """
        check(name, value)
        if value == self.get(name):
            return
        try:
            self._file.save(msgspec.structs.replace(self.settings, **{name: value}))
        except StorageError as error:
            self.problem.emit(error.title, error.message)
        self.changed.emit(name)

    def reset(self) -> None:
        """Reset every setting in the dialog to its default."""
        for field in fields():
            if field.section:
                self.set(field.name, field.default)
