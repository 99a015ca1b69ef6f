"""Table of the models on this Mac."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Slot

from app.viewmodels.library.columns import COLUMNS, ColumnInputs
from app.viewmodels.library.library import ModelLibrary, ModelRole, Row, problem_of
from app.viewmodels.library.memory_fit import MemoryFit
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.memory.machine import Machine

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TableRole(IntEnum):
    ROW = Qt.ItemDataRole.UserRole + 1  # ModelDescription | BrokenDescription
    STATE = Qt.ItemDataRole.UserRole + 2  # EngineState
    VERDICT = Qt.ItemDataRole.UserRole + 3  # "fits", "tight", "too large", or "" for a damaged model


class ModelTable(QAbstractTableModel):
    """One row per row of the library, one column per entry of `COLUMNS`."""

    def __init__(self, library: ModelLibrary, machine: Machine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.library = library
        self.memory = MemoryFit(machine)
        self.column_inputs = ColumnInputs(self.memory)
        self._readers: dict[int, Callable[[Row, int], Any]] = {
            Qt.ItemDataRole.DisplayRole: self._text,
            Qt.ItemDataRole.ToolTipRole: self._tooltip,
            Qt.ItemDataRole.AccessibleTextRole: self._accessible_text,
            TableRole.ROW: lambda row, _: row,
            TableRole.VERDICT: lambda row, _: self.memory.of(row).verdict if isinstance(row, ModelDescription) else "",
        }
        root = QModelIndex()
        library.rowsAboutToBeInserted.connect(lambda _, first, last: self.beginInsertRows(root, first, last))
        library.rowsInserted.connect(self.endInsertRows)
        library.rowsAboutToBeRemoved.connect(lambda _, first, last: self.beginRemoveRows(root, first, last))
        library.rowsRemoved.connect(self.endRemoveRows)
        library.dataChanged.connect(self._on_library_data_changed)

    def set_last_used(self, times: Mapping[str, float]) -> None:
        """Set when each model was last used, in Unix seconds, by id."""
        self.column_inputs = replace(self.column_inputs, last_used=times)
        self._emit_all_changed()

    def set_context(self, tokens: int) -> None:
        """Estimate memory for a context of this many tokens."""
        self.memory.context = tokens
        self._emit_all_changed()

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
            return COLUMNS[column].text(row, self.column_inputs)
        return row.name if column == 0 else ""

    def _tooltip(self, row: Row, column: int) -> str:
        if isinstance(row, ModelDescription) and COLUMNS[column].name == "memory":
            return self.memory.of(row).summary
        if isinstance(row, ModelDescription) and COLUMNS[column].name == "parameters":
            return f"{self._text(row, column)} parameters ({row.size_class})"
        return problem_of(row) or self._text(row, column)

    def _accessible_text(self, row: Row, column: int) -> str:
        """Return the text for screen readers, with the meaning of colors."""
        text = self._text(row, column)
        if not isinstance(row, ModelDescription):
            return f"{text}, {row.problem}" if column == 0 else ""
        extras = {"name": row.obstacle, "parameters": row.size_class, "memory": self.memory.of(row).verdict}
        extra = extras.get(COLUMNS[column].name)
        return f"{text}, {extra}" if extra else text

    def _emit_all_changed(self) -> None:
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, len(COLUMNS) - 1))

    @Slot(QModelIndex, QModelIndex)
    def _on_library_data_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self.dataChanged.emit(self.index(first.row(), 0), self.index(last.row(), len(COLUMNS) - 1))


def intact_model(row: Row) -> ModelDescription | None:
    """Return the model of `row`, or None if it is damaged."""
    return row if isinstance(row, ModelDescription) else None
