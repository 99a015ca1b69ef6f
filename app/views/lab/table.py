"""The table of a study. Its columns are as wide as their figures; what does not fit is scrolled to."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QMenu, QTableView, QWidget

from app.viewmodels.lab import Lab
from app.viewmodels.lab_columns import BY_NAME, COLUMNS
from app.viewmodels.lab_copy import as_csv, as_markdown
from app.viewmodels.lab_lines import Line
from app.viewmodels.lab_table import LabOrder, LabRole, LabTable
from app.views.lab.row_delegate import RowDelegate
from app.views.lab.table_heading import PinnedHeading
from app.views.models.heading import ARROW, PADDING
from app.views.theme import Theme

_NARROWEST_NAME = 230
_BRIEF = ("name", "size", "mean_kl")


class StudyTable(QTableView):
    """Return and a double click begin a chat."""

    chat_requested = Signal(str)  # the label of a row
    menu_requested = Signal(object, QPoint)  # Line, the point on the screen
    selected = Signal(str)  # the label of the row, "" for none
    columns_chosen = Signal(object)  # dict[str, bool]: whether each is shown, by name

    def __init__(self, lab: Lab, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._theme = lab, theme
        self.table = LabTable(self)
        self.order = LabOrder(self.table, self)
        self._delegate = RowDelegate(theme, self)
        heading = PinnedHeading(theme, self)
        self.setHorizontalHeader(heading)
        self.setModel(self.order)
        self.setItemDelegate(self._delegate)
        self._is_brief = False
        self._chosen: dict[str, bool] = {}
        """Whether a column is shown, for those that the person has chosen about, by name."""
        self._set_up()
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._dress)
        lab.changed.connect(self.follow)
        self.doubleClicked.connect(lambda index: self.chat_requested.emit(index.data(LabRole.LINE).row.label))
        self.customContextMenuRequested.connect(self._ask_menu)
        self.selectionModel().selectionChanged.connect(lambda: self.selected.emit(self.selected_label))
        # What is drawn across the columns stays in its place while they are scrolled.
        for moved in (self.viewport(), heading.viewport()):
            self.horizontalScrollBar().valueChanged.connect(moved.update)
        for rearranged in (self.order.layoutChanged, self.order.modelReset):
            rearranged.connect(self._fit_rows)
        lab.opened.connect(self._choose_columns)
        self._dress()
        self._choose_columns()
        self.follow()

    def _set_up(self) -> None:
        self.setAccessibleName("Results")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        for mode in (self.setVerticalScrollMode, self.setHorizontalScrollMode):
            mode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.viewport().setAutoFillBackground(False)
        # Without one, the style draws a frame where the two scroll bars meet.
        self.setCornerWidget(QWidget())
        heading = self.horizontalHeader()
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSortingEnabled(True)
        # Without a choice, as the study has them.
        heading.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        heading.setSortIndicatorClearable(True)

    def follow(self) -> None:
        """Show the study as it is now."""
        self.table.show_lines(self._lab.lines())
        self._fit_rows()

    def current_line(self) -> Line | None:
        """Return the line that the keyboard is at."""
        line: Line | None = self.currentIndex().data(LabRole.LINE)
        return line

    @property
    def selected_label(self) -> str:
        """The label of the one row that is selected, "" where there is none or there are several."""
        labels = {index.data(LabRole.LINE).row.label for index in self.selectionModel().selectedRows()}
        return labels.pop() if len(labels) == 1 else ""

    def select(self, label: str) -> None:
        """Select the first line of the model, and bring it into view."""
        row = next((row for row, line in enumerate(self.order.shown()) if line.row.label == label), None)
        if row is not None and label != self.selected_label:
            self.selectRow(row)

    def show_briefly(self, is_brief: bool) -> None:
        """Show the few columns that have room beside a chart, or else all that are chosen."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self._choose_columns()

    @property
    def brief_width(self) -> int:
        """How wide it is with its few columns."""
        figures = sum(self._width_of(BY_NAME[name]) for name in _BRIEF[1:])
        return self._theme.scaled(_NARROWEST_NAME) + figures

    def columns_menu(self, parent: QWidget) -> QMenu:
        """Return a menu of the columns, those that are shown ticked."""
        menu = QMenu(parent)
        for number, column in enumerate(COLUMNS[1:], 1):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(number))
            action.setToolTip(column.meaning)
            action.toggled.connect(lambda shown, name=column.name: self._show_column(name, shown=shown))
        menu.setToolTipsVisible(True)
        return menu

    def copy_text(self, *, is_csv: bool) -> None:
        """Put the lines that are selected, or else all, on the clipboard, with the columns that are shown."""
        selected = {index.row() for index in self.selectionModel().selectedRows()}
        lines = [line for row, line in enumerate(self.order.shown()) if not selected or row in selected]
        columns = [column for number, column in enumerate(COLUMNS) if not self.isColumnHidden(number)]
        QGuiApplication.clipboard().setText((as_csv if is_csv else as_markdown)(lines, columns))

    def copy(self) -> None:
        """Copy as Markdown: what the menu does when the table has the focus."""
        self.copy_text(is_csv=False)

    def take_columns(self, chosen: Mapping[str, bool]) -> None:
        """Show the columns as they were chosen before."""
        self._chosen = dict(chosen)
        self._choose_columns()

    def _show_column(self, name: str, *, shown: bool) -> None:
        self.take_columns({**self._chosen, name: shown})
        self.columns_chosen.emit(self._chosen)

    def _choose_columns(self) -> None:
        """Show what the person wants to see, and else all in which there is going to be something."""
        study = self._lab.study
        has_speed = study is not None and (study.plan.speed is not None or any(row.speed for row in study.rows))
        for number, column in enumerate(COLUMNS):
            is_shown = self._chosen.get(column.name, has_speed or not column.is_of_speed)
            self.setColumnHidden(number, column.name not in _BRIEF if self._is_brief else not is_shown)
        self._fit_columns()

    def _ask_menu(self, where: QPoint) -> None:
        index = self.indexAt(where)
        if index.isValid():
            self.menu_requested.emit(index.data(LabRole.LINE), self.viewport().mapToGlobal(where))

    def _dress(self) -> None:
        palette = self.palette()
        # The delegate marks the row itself; the style would fill the cells before.
        palette.setColor(palette.ColorRole.Highlight, Qt.GlobalColor.transparent)
        self.setPalette(palette)
        self._fit_columns()
        self._fit_rows()
        self.viewport().update()

    def _fit_rows(self) -> None:
        for row, line in enumerate(self.order.shown()):
            if self.rowHeight(row) != (height := self._delegate.row_height(line)):
                self.setRowHeight(row, height)

    def _fit_columns(self) -> None:
        widths = {number: self._width_of(number) for number in range(1, len(COLUMNS))}
        shown = sum(width for number, width in widths.items() if not self.isColumnHidden(number))
        for number, width in widths.items():
            self.setColumnWidth(number, width)
        self.setColumnWidth(0, max(self.viewport().width() - shown, self._theme.scaled(_NARROWEST_NAME)))

    def _width_of(self, number: int) -> int:
        label = QFontMetrics(self._theme.font("label", tabular=True)).horizontalAdvance(COLUMNS[number].widest)
        title = QFontMetrics(self._theme.font("small", bold=True)).horizontalAdvance(COLUMNS[number].title)
        return max(label, title + self._theme.scaled(ARROW)) + 2 * PADDING + 4

    def _hover(self, row: int) -> None:
        if row != self._delegate.hovered_row:
            self._delegate.hovered_row = row
            self.viewport().update()

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

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.indexAt(event.position().toPoint()).row())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
        self._fit_rows()
