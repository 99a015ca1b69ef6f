"""The settings as the window sees them."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.settings import Settings


class Preferences(QObject):
    """`settings` holds all values; `set` checks one against its declaration and writes the file."""

    changed = Signal(str)  # the name of the field
    problem = Signal(str, str)  # title, message

    notice: str  # "" or a sentence to show: the file was broken and put aside
    settings: Settings

    def __init__(self, path: Path, parent: QObject | None = None) -> None: ...
    def get(self, name: str) -> Any: ...
    def set(self, name: str, value: Any) -> None: ...  # raises InvalidParameter: out of range
    def reset(self) -> None: ...  # every field that has a place in the dialog gets its default
