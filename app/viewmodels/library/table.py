"""The models on this machine as a table, and what of it is shown in which order."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot

from app.viewmodels.library.columns import COLUMNS, Surroundings
from app.viewmodels.library.library import ModelLibrary, ModelRole, Row, problem_of
from app.viewmodels.library.memory_fit import MemoryFit
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.memory.machine import Machine

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TableRole(IntEnum):
    ROW = Qt.ItemDataRole.UserRole + 1  # ModelDescription | BrokenDescription
    STATE = Qt.ItemDataRole.UserRole + 2  # EngineState
    VERDICT = Qt.ItemDataRole.UserRole + 3  # "fits", "tight", "too large", or "" for what is damaged


class ModelTable(QAbstractTableModel):
    """A row for each row of the library, which it follows; a column for each of `COLUMNS`."""

    def __init__(self, library: ModelLibrary, machine: Machine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.memory = MemoryFit(machine)
        self.surroundings = Surroundings(self.memory)
        self._readers: dict[int, Callable[[Row, int], Any]] = {
            Qt.ItemDataRole.DisplayRole: self._text,
            Qt.ItemDataRole.ToolTipRole: self._tip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            TableRole.ROW: lambda row, _: row,
            TableRole.VERDICT: lambda row, _: self.memory.of(row).verdict if isinstance(row, ModelDescription) else "",
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
        self._tell_all_changed()

    def set_context(self, tokens: int) -> None:
        """Reckon the memory that models need with a context of so many tokens."""
        self.memory.context = tokens
        self._tell_all_changed()

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

    def _tip(self, row: Row, column: int) -> str:
        if isinstance(row, ModelDescription) and COLUMNS[column].name == "memory":
            return self.memory.of(row).summary
        return problem_of(row) or self._text(row, column)

    def _spoken(self, row: Row, column: int) -> str:
        """Return what a screen reader says: what is shown by colour and place too."""
        text = self._text(row, column)
        if not isinstance(row, ModelDescription):
            return f"{text}, {row.problem}" if column == 0 else ""
        extra = {"name": row.obstacle, "parameters": row.size_class, "memory": self.memory.of(row).verdict}
        more = extra.get(COLUMNS[column].name)
        return f"{text}, {more}" if more else text

    def _tell_all_changed(self) -> None:
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(COLUMNS) - 1))

    @Slot(QModelIndex, QModelIndex)
    def _tell_change(self, first: QModelIndex, last: QModelIndex) -> None:
        self.dataChanged.emit(self.index(first.row(), 0), self.index(last.row(), len(COLUMNS) - 1))


def whole(row: Row) -> ModelDescription | None:
    """Return the model of this row if it is not damaged."""
    return row if isinstance(row, ModelDescription) else None
