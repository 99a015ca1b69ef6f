"""The models on this machine as a table, and what of it is shown in which order."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot

from app.viewmodels.model_columns import COLUMNS, Surroundings
from app.viewmodels.model_library import ModelLibrary, ModelRole, Row
from mlx_engine.models.describe import BrokenDescription, ModelDescription

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TableRole(IntEnum):
    ROW = Qt.ItemDataRole.UserRole + 1  # ModelDescription | BrokenDescription
    STATE = Qt.ItemDataRole.UserRole + 2  # EngineState


class ModelTable(QAbstractTableModel):
    """A row for each row of the library, which it follows; a column for each of `COLUMNS`."""

    def __init__(self, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.surroundings = Surroundings()
        self._readers: dict[int, Callable[[Row, int], Any]] = {
            Qt.ItemDataRole.DisplayRole: self._text,
            Qt.ItemDataRole.ToolTipRole: lambda row, column: problem_of(row) or self._text(row, column),
            TableRole.ROW: lambda row, _: row,
        }
        root = QModelIndex()
        library.rowsAboutToBeInserted.connect(lambda _, first, last: self.beginInsertRows(root, first, last))
        library.rowsInserted.connect(self.endInsertRows)
        library.rowsAboutToBeRemoved.connect(lambda _, first, last: self.beginRemoveRows(root, first, last))
        library.rowsRemoved.connect(self.endRemoveRows)
        library.dataChanged.connect(self._tell_change)

    def set_last_used(self, times: Mapping[str, float]) -> None:
        """Show when each model was last used, in Unix seconds by id."""
        self.surroundings = replace(self.surroundings, last_used=times)
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(self.library.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == TableRole.STATE:
            return self.library.index(index.row()).data(ModelRole.STATE)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[index.column()].is_figure else None
        read = self._readers.get(role)
        return read(self.library.rows[index.row()], index.column()) if read else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[section].is_figure else None
        return COLUMNS[section].title if role == Qt.ItemDataRole.DisplayRole else None

    def _text(self, row: Row, column: int) -> str:
        if isinstance(row, ModelDescription):
            return COLUMNS[column].text(row, self.surroundings)
        return row.name if column == 0 else ""

    @Slot(QModelIndex, QModelIndex)
    def _tell_change(self, first: QModelIndex, last: QModelIndex) -> None:
        self.dataChanged.emit(self.index(first.row(), 0), self.index(last.row(), len(COLUMNS) - 1))


def whole(row: Row) -> ModelDescription | None:
    """Return the model of this row if it is not damaged."""
    return row if isinstance(row, ModelDescription) else None


def problem_of(row: Row) -> str:
    """Return why Facet cannot chat with this model, or nothing."""
    return row.problem if isinstance(row, BrokenDescription) else row.obstacle
