"""The model of a study's table, and its sorting."""

from collections.abc import Callable, Mapping, Set
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from app.viewmodels.lab.lines import StudyLine
from mlx_engine.measure.figures.figures import FIGURES
from mlx_engine.measure.figures.format import FigureColumn, columns
from mlx_engine.measure.results.safe_characters import one_line

Index = QModelIndex | QPersistentModelIndex
COLUMN_BY_KEY: Mapping[str, int] = {figure.key: number for number, figure in enumerate(FIGURES, 1)}
"""Numbers of the columns by the keys of their figures; column 0 is the model."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class StudyRole(IntEnum):
    LINE = Qt.ItemDataRole.UserRole + 1  # StudyLine


class StudyTableModel(QAbstractTableModel):
    """A row for each line; a column for the model, then one for each of `FIGURES`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: list[StudyLine] = []
        self.columns = columns(())
        """The columns of the figures, with their units."""
        self._readers: dict[int, Callable[[StudyLine, int], Any]] = {
            Qt.ItemDataRole.DisplayRole: self.text,
            Qt.ItemDataRole.ToolTipRole: self._tip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            StudyRole.LINE: lambda line, _: line,
        }

    def show_lines(self, lines: list[StudyLine]) -> None:
        """Replace the lines; only the rows that differ change if the models are the same as before."""
        self._set_columns(columns([line.sample for line in lines]))
        self._drop({line.key for line in self.lines} - {line.key for line in lines})
        if [line.key for line in lines] != [line.key for line in self.lines]:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()
            return
        before, self.lines = self.lines, lines
        for number, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(number, 0), self.index(number, self.columnCount() - 1))

    def _drop(self, keys: Set[str]) -> None:
        """Remove the lines with these keys; the others keep their selection."""
        for number in reversed(range(len(self.lines))):
            if self.lines[number].key in keys:
                self.beginRemoveRows(QModelIndex(), number, number)
                del self.lines[number]
                self.endRemoveRows()

    def _set_columns(self, columns: tuple[FigureColumn, ...]) -> None:
        if columns != self.columns:
            self.columns = columns
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.columnCount() - 1)
            if self.lines:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self.lines) - 1, self.columnCount() - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else 1 + len(FIGURES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if index.column() else None
        read = self._readers.get(role)
        return read(self.lines[index.row()], index.column()) if read else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return FIGURES[section - 1].meaning if section else "The original and the models compared with it."
        return self.heading(section) if role == Qt.ItemDataRole.DisplayRole else None

    def heading(self, column: int) -> str:
        """Return the title of a column with its unit."""
        return self.columns[column - 1].heading if column else "Model"

    def text(self, line: StudyLine, column: int) -> str:
        """Return the content of a cell."""
        return self.columns[column - 1].text(line.sample) if column else line.name

    def _tip(self, line: StudyLine, column: int) -> str:
        if column:
            return FIGURES[column - 1].meaning
        return "\n".join(filter(None, (one_line(line.row.label), line.note, line.failure)))

    def _spoken(self, line: StudyLine, column: int) -> str:
        """Return the text for a screen reader, including all that color and position show."""
        text = self.text(line, column)
        if column:
            return (
                f"{text}{self.columns[column - 1].unit.suffix}{', so far' if line.is_preliminary else ''}"
                if text
                else ""
            )
        return ", ".join(filter(None, (text, "best within limits" if line.is_best else "", line.note, line.failure)))


class SortedStudyTable(QSortFilterProxyModel):
    """Sorts by a column. In both orders the original comes first, and lines without a value last."""

    def __init__(self, table: StudyTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.setSourceModel(table)

    def lessThan(self, left: Index, right: Index) -> bool:
        line, other = self._table.lines[left.row()], self._table.lines[right.row()]
        is_ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
        if line.is_reference or other.is_reference:
            return line.is_reference == is_ascending
        if not left.column():
            return line.name.casefold() < other.name.casefold()
        figure = FIGURES[left.column() - 1]
        estimate, other_estimate = figure.measured(line.sample), figure.measured(other.sample)
        if estimate is None or other_estimate is None:
            return (other_estimate is None and estimate is not None) == is_ascending and estimate is not other_estimate
        return estimate.value < other_estimate.value

    def sorted_lines(self) -> list[StudyLine]:
        """Return the lines in their order on the screen."""
        return [self.line(self.index(row, 0)) for row in range(self.rowCount())]

    def line(self, index: QModelIndex) -> StudyLine:
        """Return the line at `index`."""
        return self._table.lines[self.mapToSource(index).row()]
