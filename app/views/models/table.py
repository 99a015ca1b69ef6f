"""The table of models. It shows as many columns as there is room for; the inspector has them all."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from app.viewmodels.model_columns import COLUMNS
from app.viewmodels.model_filter import ModelFilter
from app.viewmodels.model_library import Row
from app.viewmodels.model_table import TableRole
from app.views.models.heading import ARROW, PADDING, Heading
from app.views.models.row_delegate import RowDelegate
from app.views.theme import Theme

_NARROWEST_NAME = 220
"""Pixels that the name gets before columns go."""


class ModelsTable(QTableView):
    """Return and a double click begin a chat, Delete deletes."""

    activated_row = Signal()
    delete_requested = Signal()

    def __init__(self, models: ModelFilter, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._delegate = RowDelegate(theme, self)
        self.setHorizontalHeader(Heading(theme, self))
        self.setModel(models)
        self.setItemDelegate(self._delegate)
        self._set_up()
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._dress)
        self.doubleClicked.connect(self.activated_row)
        self._dress()

    def _set_up(self) -> None:
        self.setAccessibleName("Models")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.viewport().setAutoFillBackground(False)
        heading = self.horizontalHeader()
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        heading.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        heading.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def current_row(self) -> Row | None:
        """Return the marked model."""
        row: Row | None = self.currentIndex().data(TableRole.ROW)
        return row

    def mark(self, model_id: str) -> bool:
        """Mark the model; return whether it is there."""
        for number in range(self.model().rowCount()):
            if self.model().index(number, 0).data(TableRole.ROW).id == model_id:
                self.selectRow(number)
                return True
        return False

    def _dress(self) -> None:
        palette = self.palette()
        # The delegate marks the row itself; the style would fill the cells before.
        palette.setColor(palette.ColorRole.Highlight, Qt.GlobalColor.transparent)
        self.setPalette(palette)
        self.verticalHeader().setDefaultSectionSize(self._delegate.row_height())
        self._fit_columns()
        self.viewport().update()

    def _fit_columns(self) -> None:
        """Give each column the width of its widest text, and hide those of least worth that do not fit."""
        widths = [self._width_of(number) for number in range(len(COLUMNS))]
        room = self.viewport().width() - self._theme.scaled(_NARROWEST_NAME)
        for number in sorted(range(1, len(COLUMNS)), key=lambda number: COLUMNS[number].rank):
            room -= widths[number]
            self.setColumnHidden(number, room < 0)
            self.setColumnWidth(number, widths[number])

    def _width_of(self, number: int) -> int:
        label = QFontMetrics(self._theme.font("label", tabular=True)).horizontalAdvance(COLUMNS[number].widest)
        title = QFontMetrics(self._theme.font("small", bold=True)).horizontalAdvance(COLUMNS[number].title)
        return max(label, title + self._theme.scaled(ARROW)) + 2 * PADDING + 4

    def _hover(self, row: int) -> None:
        if row != self._delegate.hovered_row:
            self._delegate.hovered_row = row
            self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.activated_row.emit()
        elif event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.delete_requested.emit()
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
