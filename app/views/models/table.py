"""Table of models. It shows as many columns as fit; the inspector shows them all."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from app.viewmodels.library.columns import COLUMNS
from app.viewmodels.library.filter import ModelFilter
from app.viewmodels.library.library import Row
from app.viewmodels.library.table import TableRole
from app.views.kit.row_table import RowTable
from app.views.kit.table_header import ARROW, PADDING, TableHeader
from app.views.kit.theme import Theme
from app.views.models.row_delegate import ModelRowDelegate

_MIN_NAME_WIDTH = 220
"""Width in pixels below which columns are hidden to keep the name readable."""


class ModelsTable(RowTable):
    """Emits `row_activated` on Return and double-click, `delete_requested` on Delete."""

    row_activated = Signal()
    delete_requested = Signal()

    def __init__(self, models: ModelFilter, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._delegate = ModelRowDelegate(theme, self)
        self.set_header(TableHeader(theme, self))
        self.setModel(models)
        self.setItemDelegate(self._delegate)
        self._set_up()
        theme.changed.connect(self._apply_theme)
        self.doubleClicked.connect(self.row_activated)
        self._apply_theme()

    def _set_up(self) -> None:
        self.setAccessibleName("Models")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def current_row(self) -> Row | None:
        """Return the selected model."""
        row: Row | None = self.currentIndex().data(TableRole.ROW)
        return row

    def select(self, model_id: str) -> bool:
        """Select the model; return False if it is missing."""
        for number in range(self.model().rowCount()):
            if self.model().index(number, 0).data(TableRole.ROW).id == model_id:
                self.selectRow(number)
                return True
        return False

    def _apply_theme(self) -> None:
        self.clear_highlight()
        self.verticalHeader().setDefaultSectionSize(self._delegate.row_height())
        self._fit_columns()
        self.viewport().update()

    def _fit_columns(self) -> None:
        """Set each column to the width of its widest text, and hide the least important ones that do not fit."""
        widths = [self._width_of(number) for number in range(len(COLUMNS))]
        available = self.viewport().width() - self._theme.scaled(_MIN_NAME_WIDTH)
        for number in sorted(range(1, len(COLUMNS)), key=lambda number: COLUMNS[number].rank):
            available -= widths[number]
            self.setColumnHidden(number, available < 0)
            self.setColumnWidth(number, widths[number])

    def _width_of(self, number: int) -> int:
        label = QFontMetrics(self._theme.font("label", tabular=True)).horizontalAdvance(COLUMNS[number].widest)
        title = QFontMetrics(self._theme.font("small", bold=True)).horizontalAdvance(COLUMNS[number].title)
        return max(label, title + self._theme.scaled(ARROW)) + 2 * PADDING + 4

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.row_activated.emit()
        elif event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.delete_requested.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()
