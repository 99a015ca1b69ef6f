"""Map of a recipe to select matrices on: a line per layer, a column per kind of matrix, colored by bits.

A click selects a cell, a line by its number or a column by its name. Dragging and Shift select a range, Ctrl (⌘) adds
and removes. By keyboard, the arrows move the selection and Shift extends it; the heading is before the first cell.
"""

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QToolTip, QWidget

from app.viewmodels.formatting.matrix import short_kind
from app.viewmodels.quantize.map_selection import ALL, OUTSIDE, Place, Selection
from app.viewmodels.quantize.recipe_map import MatrixCell, RecipeMap
from app.views.charts.bit_scale import bit_color, hatch, text_color_on
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme

_ROW = 20
"""Height of a line, in pixels at 100 %."""
_MIN_LINES = 6
"""Minimum number of visible lines."""
_MOVES = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}


class RecipeMapView(QAbstractScrollArea):
    """`bits_typed` carries a typed number of bits; 0 means to keep the selection, -1 to reset it to the recipe."""

    selection_changed = Signal()
    bits_typed = Signal(int)
    undo_requested = Signal()
    redo_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.selection = Selection(RecipeMap())
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Recipe map")
        self.viewport().setAutoFillBackground(False)
        self.viewport().setMouseTracking(True)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._fit)

    def show_map(self, map: RecipeMap) -> None:
        """Show a map and keep the selection."""
        self.selection = self.selection.on(map)
        self._fit()
        self._announce_selection()

    def select(self, selection: Selection) -> None:
        if selection != self.selection:
            self.selection = selection
            self._reveal()
            self._announce_selection()

    def choose_all(self) -> None:
        self.select(self.selection.at((ALL, ALL)))

    def _announce_selection(self) -> None:
        self.setAccessibleDescription(self.selection.summary())
        self.viewport().update()
        self.selection_changed.emit()

    # Geometry.

    def _row(self) -> int:
        return self._theme.scaled(_ROW)

    def _gutter(self) -> int:
        return QFontMetrics(self._theme.font("small")).horizontalAdvance("8888") + 10

    def _top(self) -> int:
        """Return the top of the first layer, below the matrices outside of layers and the headings."""
        outside = self._row() + 8 if self.selection.map.outside else 0
        return outside + self._row()

    def _column_width(self, line: int) -> float:
        return (self.viewport().width() - self._gutter()) / max(self.selection.columns(line), 1)

    def _line_top(self, line: int) -> float:
        if line == OUTSIDE:
            return 0
        return self._top() + (line - 1) * self._row() - self.verticalScrollBar().value()

    def _area(self, line: int, column: int) -> QRectF:
        width = self._column_width(line)
        left_edge = self._gutter() + column * width
        return QRectF(left_edge, self._line_top(line), width - 2, self._row() - 2)

    def place_at(self, point: QPoint) -> Place | None:
        """Return the place at a point, including headings; None outside of the map."""
        if point.y() < self._row() and self.selection.map.outside:
            line = OUTSIDE
        elif point.y() < self._top():
            line = ALL
        else:
            line = 1 + (point.y() - self._top() + self.verticalScrollBar().value()) // self._row()
        if line >= self.selection.lines:
            return None
        reference = max(line, 1) if line == ALL else line
        column = int((point.x() - self._gutter()) // self._column_width(reference))
        return line, min(max(column, ALL), self.selection.columns(reference) - 1)

    def _fit(self) -> None:
        visible_height = self.viewport().height() - self._top()
        self.setMinimumHeight(self._top() + self._row() * _MIN_LINES)
        bar, needed = self.verticalScrollBar(), self._row() * len(self.selection.map.rows)
        bar.setPageStep(max(visible_height, 1))
        bar.setSingleStep(self._row())
        bar.setRange(0, max(needed - visible_height, 0))
        self.viewport().update()

    def _reveal(self) -> None:
        line = self.selection.cursor[0]
        if line < 1:
            return
        bar, top = self.verticalScrollBar(), (line - 1) * self._row()
        visible_height = self.viewport().height() - self._top()
        if top < bar.value():
            bar.setValue(top)
        elif top + self._row() > bar.value() + visible_height:
            bar.setValue(top + self._row() - visible_height)

    # Painting.

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setFont(self._theme.font("small", tabular=True))
        selected = self.selection.paths
        for column, cell in enumerate(self.selection.map.outside):
            self._paint_cell(painter, self._area(OUTSIDE, column), cell, selected, name=short_kind(cell.path))
        self._paint_headings(painter)
        painter.setClipRect(QRectF(0, self._top(), self.viewport().width(), self.viewport().height()))
        for line in range(1, self.selection.lines):
            if self._top() - self._row() <= self._line_top(line) <= self.viewport().height():
                self._paint_line(painter, line, selected)
        painter.setClipping(False)
        self._paint_cursor(painter)

    def _paint_headings(self, painter: QPainter) -> None:
        painter.setPen(self._theme.palette.secondary)
        top = self._top() - self._row()
        for column, kind in enumerate(self.selection.map.kinds):
            area = self._area(1, column)
            area.moveTop(top)
            text = painter.fontMetrics().elidedText(short_kind(kind), Qt.TextElideMode.ElideRight, int(area.width()))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_line(self, painter: QPainter, line: int, selected: frozenset[str]) -> None:
        row = self.selection.map.rows[line - 1]
        painter.setPen(self._theme.palette.tertiary)
        number = QRectF(0, self._line_top(line), self._gutter() - 8, self._row() - 2)
        painter.drawText(number, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{row.layer}")
        for column, kind in enumerate(self.selection.map.kinds):
            if cell := row.cells.get(kind):
                self._paint_cell(painter, self._area(line, column), cell, selected)

    def _paint_cell(
        self, painter: QPainter, area: QRectF, cell: MatrixCell, selected: frozenset[str], *, name: str = ""
    ) -> None:
        colours = self._theme.palette
        if cell.obstacle:
            rounded(painter, area, 3, mixed(colours.window, colours.text, 0.06))
            hatch(painter, area, colours.tertiary)
            painter.setPen(colours.secondary)
        else:
            fill = bit_color(cell.bits)
            rounded(painter, area, 3, fill)
            painter.setPen(text_color_on(fill))
        text = f"{name}  {cell.bits:g}".lstrip() if name or not cell.obstacle else ""
        if painter.fontMetrics().horizontalAdvance(text) + 4 <= area.width():
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
        if cell.path in selected:
            focus_ring(painter, area.adjusted(-1, -1, 1, 1), 4, colours.text)

    def _paint_cursor(self, painter: QPainter) -> None:
        """Mark the heading with the keyboard focus; a cell with the focus is selected anyway."""
        line, column = self.selection.cursor
        if not self.hasFocus() or ALL not in (line, column) or line >= self.selection.lines:
            return
        if line == ALL and column == ALL:
            area = QRectF(0, self._top() - self._row(), self._gutter() - 4, self._row() - 2)
        elif line == ALL:
            area = self._area(1, column)
            area.moveTop(self._top() - self._row())
        else:
            area = QRectF(0, self._line_top(line), self._gutter() - 4, self._row() - 2)
        focus_ring(painter, area, 4, self._theme.palette.accent)

    # Input.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = self.place_at(event.position().toPoint())
        if position and event.button() == Qt.MouseButton.LeftButton:
            keys = event.modifiers()
            extends = bool(keys & Qt.KeyboardModifier.ShiftModifier)
            self.select(
                self.selection.at(position, extends=extends, adds=bool(keys & Qt.KeyboardModifier.ControlModifier))
            )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = self.place_at(event.position().toPoint())
        if position and event.buttons() & Qt.MouseButton.LeftButton:
            self.select(self.selection.at(position, extends=True))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, extends = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key in _MOVES:
            self.select(self.selection.moved(*_MOVES[key], extends=extends))
        elif event.text() in ("2", "3", "4", "5", "6", "8"):
            self.bits_typed.emit(int(event.text()))
        elif event.text() in ("0", "k"):
            self.bits_typed.emit(0)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.bits_typed.emit(-1)
        else:
            super().keyPressEvent(event)

    def selectAll(self) -> None:  # noqa: N802 - the menu calls it by Qt's name
        self.choose_all()

    def undo(self) -> None:
        self.undo_requested.emit()

    def redo(self) -> None:
        self.redo_requested.emit()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), plain(self.tip_at(event.pos())), self)
            return True
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().viewportEvent(event)

    def tip_at(self, point: QPoint) -> str:
        """Return the matrix at a point, with its treatment."""
        position = self.place_at(point)
        cell = self.selection.cell(position) if position else None
        return f"{cell.path}: {cell.obstacle or cell.summary}" if cell else ""
