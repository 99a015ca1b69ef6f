"""The models on this machine, and the state of each."""

from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QObject, Qt, Signal

from app.viewmodels.engine_bridge import EngineBridge


class ModelRole(IntEnum):
    NAME = Qt.ItemDataRole.DisplayRole
    ID = Qt.ItemDataRole.UserRole + 1
    DETAIL = Qt.ItemDataRole.UserRole + 2  # "4-bit g32 · 135M · 84 MB"
    STATE = Qt.ItemDataRole.UserRole + 3  # EngineState
    BROKEN = Qt.ItemDataRole.UserRole + 4  # a sentence, or ""


class ModelLibrary(QAbstractListModel):
    """One row a model, usable or broken; `refresh` scans the folder in another thread."""

    refreshed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, models_folder: Path, bridge: EngineBridge, parent: QObject | None = None) -> None: ...
    def refresh(self) -> None: ...
    def description(self, model_id: str) -> object: ...  # ModelDescription | None (missing or broken)
    def row_of(self, model_id: str) -> int: ...  # -1 when missing
    def load(self, model_id: str) -> None: ...
    def unload(self, model_id: str) -> None: ...
