"""What tables of whole rows share: how they are set up, and how a row is marked that is selected or pointed at."""

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QStyle, QStyleOptionViewItem, QTableView, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme


class RowTable(QTableView):
    """Its delegate draws the rows, and asks for the colour of their ground."""

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

    def set_header(self, heading: QHeaderView) -> None:
        """Take `heading`, by which the rows are sorted; columns are as wide as the table makes them."""
        self.setHorizontalHeader(heading)
        heading.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def clear_highlight(self) -> None:
        """Leave it to the delegate to mark rows; the style would fill the cells before."""
        palette = self.palette()
        palette.setColor(palette.ColorRole.Highlight, Qt.GlobalColor.transparent)
        self.setPalette(palette)

    def row_fill(self, option: QStyleOptionViewItem, row: int) -> QColor | None:
        """Return the colour that marks `row`, if it is selected or under the mouse."""
        colors = self._theme.palette
        if option.state & QStyle.StateFlag.State_Selected:
            return mixed(colors.window, colors.accent, 0.24 if self.hasFocus() else 0.14)
        return colors.hover if row == self._hovered_row else None

    def paint_band(self, painter: QPainter, cell: QRectF, fill: QColor) -> None:
        """Fill the row of `cell` across all columns: the ends are round, and each cell draws its part."""
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
