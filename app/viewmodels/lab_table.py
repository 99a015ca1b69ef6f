"""A study as a table, and its order."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from app.viewmodels.lab_columns import COLUMNS
from app.viewmodels.lab_lines import Line

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LabRole(IntEnum):
    LINE = Qt.ItemDataRole.UserRole + 1  # Line


class LabTable(QAbstractTableModel):
    """A row for each line, a column for each of `COLUMNS`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[Line] = []
        self._readers: dict[int, Callable[[Line, int], Any]] = {
            Qt.ItemDataRole.DisplayRole: lambda line, column: COLUMNS[column].text(line),
            Qt.ItemDataRole.ToolTipRole: self._tip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            LabRole.LINE: lambda line, _: line,
        }

    def show_lines(self, lines: list[Line]) -> None:
        """Show these: cell by cell where they are about the same models as before."""
        if [line.key for line in lines] != [line.key for line in self.lines]:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()
            return
        before, self.lines = self.lines, lines
        for number, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(COLUMNS) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[index.column()].is_figure else None
        read = self._readers.get(role)
        return read(self.lines[index.row()], index.column()) if read else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if COLUMNS[section].is_figure else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return COLUMNS[section].meaning
        return COLUMNS[section].title if role == Qt.ItemDataRole.DisplayRole else None

    def _tip(self, line: Line, column: int) -> str:
        return f"{line.row.label}\n{line.note}" if column == 0 else COLUMNS[column].meaning

    def _spoken(self, line: Line, column: int) -> str:
        """Return what a screen reader says: what is shown by colour and place too."""
        text = COLUMNS[column].text(line)
        if column:
            return f"{text}, so far" if text and line.is_open else text
        return ", ".join(filter(None, (text, "the winner" if line.is_winner else "", line.note)))


class LabOrder(QSortFilterProxyModel):
    """Sorted by a column; what has no value there stands last, whichever way."""

    def __init__(self, table: LabTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.setSourceModel(table)

    def lessThan(self, left: Index, right: Index) -> bool:
        read = COLUMNS[left.column()].key
        one, other = read(self._table.lines[left.row()]), read(self._table.lines[right.row()])
        if one is None or other is None:
            is_ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
            return (other is None and one is not None) == is_ascending and one is not other
        return one < other  # type: ignore[operator]  # a column has keys of one type

    def shown(self) -> list[Line]:
        """Return the lines in their order."""
        return [self._table.lines[self.mapToSource(self.index(row, 0)).row()] for row in range(self.rowCount())]
