"""Table of a study. Its columns have the width of their figures; the table scrolls sideways."""

import math
from collections.abc import Mapping, Set

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QWidget

from app.viewmodels.lab.lines import StudyLine
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.table import COLUMN_BY_KEY, SortedStudyTable, StudyRole, StudyTableModel
from app.viewmodels.lab.table_copy import as_csv, as_markdown
from app.views.kit.row_table import RowTable
from app.views.kit.table_header import ARROW, PADDING
from app.views.kit.theme import Theme
from app.views.lab.figure_alignment import figure_slots
from app.views.lab.pinned_header import PinnedHeader
from app.views.lab.row_delegate import StudyRowDelegate
from mlx_engine.measure.figures.figures import FIGURES, MEAN_KL, SIZE

_MIN_NAME_WIDTH = 230
_WIDEST, _WIDEST_WITH_ERROR = "8,888*", "8.8888 ± 8.8888"
"""Samples of usual figures, so that columns do not grow while results arrive."""
_BRIEF = (SIZE.key, MEAN_KL.key)


class StudyTable(RowTable):
    """Emits `chat_requested` on Return and double-click."""

    chat_requested = Signal(str)  # label of a row
    menu_requested = Signal(object, QPoint)  # StudyLine, position on the screen
    selected = Signal(str)  # key of the line, or ""
    columns_changed = Signal(object)  # dict[str, bool]: visibility by key

    def __init__(self, lab: Lab, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._lab = lab
        self.table = StudyTableModel(self)
        self.order = SortedStudyTable(self.table, self)
        self._delegate = StudyRowDelegate(theme, self)
        heading = PinnedHeader(theme, self)
        self.set_header(heading)
        self.setModel(self.order)
        self.setItemDelegate(self._delegate)
        self._is_brief = False
        self._widths: list[int] = [0] * (1 + len(FIGURES))
        self._visibility: dict[str, bool] = {}
        """Visibility of the columns that the user has set, by key."""
        self._set_up()
        theme.changed.connect(self._apply_theme)
        lab.changed.connect(self.refresh)
        self.doubleClicked.connect(lambda index: self.chat_requested.emit(index.data(StudyRole.LINE).row.label))
        self.customContextMenuRequested.connect(self._request_menu)
        self.selectionModel().selectionChanged.connect(lambda: self.selected.emit(self.selected_key))
        # Text across all columns does not scroll with them.
        for viewport in (self.viewport(), heading.viewport()):
            self.horizontalScrollBar().valueChanged.connect(viewport.update)
        for signal in (self.order.layoutChanged, self.order.modelReset):
            signal.connect(self._fit_rows)
        lab.opened.connect(self._apply_visibility)
        self._apply_theme()
        self._apply_visibility()
        self.refresh()

    def _set_up(self) -> None:
        self.setAccessibleName("Results")
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        # Without a corner widget, the style draws a frame where the scroll bars meet.
        self.setCornerWidget(QWidget())
        heading = self.horizontalHeader()
        self.setSortingEnabled(True)
        # Unsorted at first: the order of the study.
        heading.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        heading.setSortIndicatorClearable(True)

    def refresh(self) -> None:
        """Show the current state of the study and keep the selection."""
        selected = {self.order.line(index).key for index in self.selectionModel().selectedRows()}
        self.table.show_lines(self._lab.lines())
        if selected and not self.selectionModel().hasSelection():
            self._restore_selection(selected)
        self._measure()
        self._fit_rows()

    def _restore_selection(self, keys: Set[str]) -> None:
        """Select the lines with these keys, whose rows may have changed."""
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row, line in enumerate(self.order.sorted_lines()):
            if line.key in keys:
                self.selectionModel().select(self.order.index(row, 0), flags)

    def current_line(self) -> StudyLine | None:
        """Return the line with the keyboard focus."""
        line: StudyLine | None = self.currentIndex().data(StudyRole.LINE)
        return line

    @property
    def selected_key(self) -> str:
        """Key of the selected line, or "" unless exactly one is selected."""
        keys = {self.order.line(index).key for index in self.selectionModel().selectedRows()}
        return keys.pop() if len(keys) == 1 else ""

    def select(self, key: str) -> None:
        """Select the line with this key and scroll to it."""
        row = next((row for row, line in enumerate(self.order.sorted_lines()) if line.key == key), None)
        if row is not None and key != self.selected_key:
            self.selectRow(row)

    def show_briefly(self, is_brief: bool) -> None:
        """Show only the columns that fit next to a chart if `is_brief`, otherwise all visible ones."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            policy = Qt.ScrollBarPolicy
            self.setHorizontalScrollBarPolicy(policy.ScrollBarAlwaysOff if is_brief else policy.ScrollBarAsNeeded)
            self._apply_visibility()

    @property
    def brief_width(self) -> int:
        """Width in pixels of the table next to a chart."""
        figures = sum(self._widths[COLUMN_BY_KEY[key]] for key in _BRIEF)
        return self._theme.scaled(_MIN_NAME_WIDTH) + figures + self.verticalScrollBar().sizeHint().width()

    def columns_menu(self, parent: QWidget) -> QMenu:
        """Return a menu to show columns and to sort by them."""
        menu = QMenu(parent)
        for number, figure in enumerate(FIGURES, 1):
            action = menu.addAction(figure.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.setToolTip(figure.meaning)
            action.toggled.connect(lambda checked, key=figure.key: self._show_column(key, is_visible=checked))
        menu.setToolTipsVisible(True)
        menu.addSeparator()
        self._add_orders(menu.addMenu("Sort By"))
        return menu

    def _add_orders(self, menu: QMenu) -> None:
        """Add the sort orders for the keyboard; the mouse can also click a column heading."""
        group, heading = QActionGroup(menu), self.horizontalHeader()
        titles = ("As in the Study", "Model", *(figure.title for figure in FIGURES))
        for number, title in enumerate(titles, -1):
            action = group.addAction(menu.addAction(title))
            action.setCheckable(True)
            action.setChecked(number == heading.sortIndicatorSection())
            action.triggered.connect(lambda _checked=False, number=number: self._sort_by(number))

    def _sort_by(self, number: int) -> None:
        """Sort by a column, or reverse the order if the table is already sorted by it."""
        heading, (down, up) = self.horizontalHeader(), (Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder)
        is_again = number == heading.sortIndicatorSection() and heading.sortIndicatorOrder() == up
        self.sortByColumn(number, down if is_again else up)

    def copy_text(self, *, is_csv: bool) -> None:
        """Copy the selected lines, or all if there is no selection, with the visible columns."""
        selected = {index.row() for index in self.selectionModel().selectedRows()}
        lines = [line for row, line in enumerate(self.order.sorted_lines()) if not selected or row in selected]
        columns = [column for number, column in enumerate(self.table.columns, 1) if not self.isColumnHidden(number)]
        QGuiApplication.clipboard().setText((as_csv if is_csv else as_markdown)(lines, columns))

    def copy(self) -> None:
        """Copy as Markdown; the Edit menu calls this while the table has the focus."""
        self.copy_text(is_csv=False)

    def set_columns(self, visibility: Mapping[str, bool]) -> None:
        """Restore the visibility of columns, by key."""
        self._visibility = dict(visibility)
        self._apply_visibility()

    def _show_column(self, key: str, *, is_visible: bool) -> None:
        self.set_columns({**self._visibility, key: is_visible})
        self.columns_changed.emit(self._visibility)

    def _apply_visibility(self) -> None:
        """Show the columns that the user has chosen, and by default those that will have figures."""
        study = self._lab.study
        has_speed = study is not None and (study.plan.speed is not None or any(row.speed for row in study.rows))
        for number, figure in enumerate(FIGURES, 1):
            is_visible = self._visibility.get(figure.key, has_speed or figure.source != "speed")
            self.setColumnHidden(number, figure.key not in _BRIEF if self._is_brief else not is_visible)
        self._fit_columns()

    def _request_menu(self, position: QPoint) -> None:
        index = self.indexAt(position)
        if index.isValid():
            self.menu_requested.emit(index.data(StudyRole.LINE), self.viewport().mapToGlobal(position))

    def _apply_theme(self) -> None:
        self.clear_highlight()
        self._measure()
        self._fit_rows()
        self.viewport().update()

    def _fit_rows(self) -> None:
        for row, line in enumerate(self.order.sorted_lines()):
            if self.rowHeight(row) != (height := self._delegate.row_height(line)):
                self.setRowHeight(row, height)

    def _measure(self) -> None:
        """Compute the widths of the columns."""
        font, columns = self._theme.font("label", tabular=True), self.table.columns
        samples = [line.sample for line in self.table.lines]
        self._delegate.slots = [figure_slots(map(column.text, samples), font) for column in columns]
        label, title = QFontMetrics(font), QFontMetrics(self._theme.font("small", bold=True))
        padding = 2 * PADDING + 4
        self._widths = [0] + [
            max(
                math.ceil(slots.width),
                label.horizontalAdvance(_WIDEST_WITH_ERROR if column.figure.has_error else _WIDEST),
                title.horizontalAdvance(column.heading) + self._theme.scaled(ARROW),
            )
            + padding
            for slots, column in zip(self._delegate.slots, columns, strict=True)
        ]
        self._fit_columns()

    def _fit_columns(self) -> None:
        figures_width = sum(
            width for number, width in enumerate(self._widths) if number and not self.isColumnHidden(number)
        )
        name = max(self.viewport().width() - figures_width, self._min_name_width)
        for number, width in enumerate((name, *self._widths[1:])):
            if self.columnWidth(number) != width:
                self.setColumnWidth(number, width)

    @property
    def _min_name_width(self) -> int:
        return 0 if self._is_brief else self._theme.scaled(_MIN_NAME_WIDTH)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        line = self.current_line()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and line:
            self.chat_requested.emit(line.row.label)
        elif event.key() == Qt.Key.Key_Menu and line:
            self.menu_requested.emit(line, self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).center()))
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
        self._fit_rows()
