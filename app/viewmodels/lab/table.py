"""A study as a table, and its order."""

import math
from collections.abc import Callable, Sequence, Set
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from app.viewmodels.lab.columns import COLUMNS, Column, SortKey, columns_of
from app.viewmodels.lab.lines import Line
from mlx_engine.measure.results.safe_characters import one_line

Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class LabRole(IntEnum):
    LINE = Qt.ItemDataRole.UserRole + 1  # Line


class LabTable(QAbstractTableModel):
    """A row for each line, a column for each of `COLUMNS`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[Line] = []
        self.columns = COLUMNS
        """With the units in which the figures are shown."""
        self._readers: dict[int, Callable[[Line, int], Any]] = {
            Qt.ItemDataRole.DisplayRole: lambda line, column: self.columns[column].text(line),
            Qt.ItemDataRole.ToolTipRole: self._tip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            LabRole.LINE: lambda line, _: line,
        }

    def show_lines(self, lines: list[Line]) -> None:
        """Show these: cell by cell where they are about the same models as before."""
        self._take_columns(columns_of(lines))
        self._drop({line.key for line in self.lines} - {line.key for line in lines})
        if [line.key for line in lines] != [line.key for line in self.lines]:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()
            return
        before, self.lines = self.lines, lines
        for number, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number, 0), self.index(number, len(COLUMNS) - 1))

    def _drop(self, keys: Set[str]) -> None:
        """Take out the lines with these keys; the others keep what is selected of them."""
        for number in reversed(range(len(self.lines))):
            if self.lines[number].key in keys:
                self.beginRemoveRows(QModelIndex(), number, number)
                del self.lines[number]
                self.endRemoveRows()

    def _take_columns(self, columns: Sequence[Column]) -> None:
        if columns is not self.columns:
            self.columns = columns
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
            if self.lines:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.lines) - 1, len(COLUMNS) - 1))

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
        return self.columns[section].heading if role == Qt.ItemDataRole.DisplayRole else None

    def _tip(self, line: Line, column: int) -> str:
        if column:
            return COLUMNS[column].meaning
        return "\n".join(filter(None, (one_line(line.row.label), line.note, line.failure)))

    def _spoken(self, line: Line, column: int) -> str:
        """Return what a screen reader says: what is shown by colour and place too."""
        text = self.columns[column].text(line)
        if column:
            return f"{text} {self.columns[column].unit}{', so far' if line.is_open else ''}".rstrip() if text else ""
        return ", ".join(filter(None, (text, "the winner" if line.is_winner else "", line.note, line.failure)))


class LabOrder(QSortFilterProxyModel):
    """Sorted by a column. The original stands first, and what has no value there last, whichever way."""

    def __init__(self, table: LabTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.setSourceModel(table)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = self._table.lines[left.row()], self._table.lines[right.row()]
        is_ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
        if one.is_reference or other.is_reference:
            return one.is_reference == is_ascending
        read = COLUMNS[left.column()].key
        mine, its = _known(read(one)), _known(read(other))
        if mine is None or its is None:
            return (its is None and mine is not None) == is_ascending and mine is not its
        return mine < its  # type: ignore[operator]  # a column has keys of one type

    def shown(self) -> list[Line]:
        """Return the lines in their order."""
        return [self.line(self.index(row, 0)) for row in range(self.rowCount())]

    def line(self, index: QModelIndex) -> Line:
        """Return the line that is shown at `index`."""
        return self._table.lines[self.mapToSource(index).row()]


def _known(key: SortKey) -> SortKey:
    """Return `key`, or None where it is no number, and so neither more nor less than any."""
    return None if isinstance(key, float) and math.isnan(key) else key
