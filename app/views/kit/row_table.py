"""Base of tables that select whole rows: their setup, and the highlight of selected and hovered rows."""

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QStyle, QStyleOptionViewItem, QTableView, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme


class RowTable(QTableView):
    """A table whose delegate draws the rows on the background color from `row_fill`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._hovered_row = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.viewport().setAutoFillBackground(False)
        theme.thin_scroll_bars(self)

    def set_header(self, header: QHeaderView) -> None:
        """Use `header` to sort the rows; the table sets the widths of its columns."""
        self.setHorizontalHeader(header)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def clear_highlight(self) -> None:
        """Leave the highlight to the delegate; the style would fill the cells first."""
        palette = self.palette()
        palette.setColor(palette.ColorRole.Highlight, Qt.GlobalColor.transparent)
        self.setPalette(palette)

    def row_fill(self, option: QStyleOptionViewItem, row: int) -> QColor | None:
        """Return the background color of `row` if it is selected or under the mouse."""
        colors = self._theme.palette
        if option.state & QStyle.StateFlag.State_Selected:
            return mixed(colors.window, colors.accent, 0.24 if self.hasFocus() else 0.14)
        return colors.hover if row == self._hovered_row else None

    def paint_band(self, painter: QPainter, cell: QRectF, fill: QColor) -> None:
        """Fill the row of `cell` across all columns, with rounded ends; the painter clips it to the cell."""
        viewport = self.viewport().rect()
        rounded(painter, QRectF(viewport.left() + 8, cell.top() + 1, viewport.width() - 10, cell.height() - 2), 7, fill)

    def _hover(self, row: int) -> None:
        if row != self._hovered_row:
            self._hovered_row = row
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.indexAt(event.position().toPoint()).row())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)
