"""A table, as wide as its content; it scrolls sideways where the page is narrower.

A long table is shown by several widgets, one for each of its blocks: the first decides the widths of the columns, and
only the last one changes while rows arrive.
"""

from math import ceil

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QPainter,
    QPaintEvent,
    QTextCursor,
    QTextFrameFormat,
    QTextLength,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.views.kit.painting import rounded
from app.views.kit.theme import Theme
from app.views.transcript.block_writer import BlockWriter
from app.views.transcript.blocks import Alignment, Block
from app.views.transcript.formulas import Formulas
from app.views.transcript.markdown import TABLE_ROWS
from app.views.transcript.rich_text import RichText
from app.views.transcript.sideways import scroll_sideways

_ALIGNMENTS: dict[Alignment, Qt.AlignmentFlag] = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}
_COMFORTABLE_EMS = 11
"""Width of a column before its text wraps."""
_PADDING_EMS = 0.85
_CORNER = 9
_SQUEEZE = 1.5
"""A table up to this many times too wide is wrapped to fit; a wider one scrolls, so that its columns stay readable."""
_UNBOUNDED = 100_000


class Table(RichText):
    """Shows a block of kind `table`, and rewrites only the rows that change."""

    reflowed = Signal()

    def __init__(self, theme: Theme, formulas: Formulas, writer: BlockWriter, parent: QWidget) -> None:
        super().__init__(theme, formulas, parent)
        self._writer = writer
        self._block = Block("table")
        self._table: QTextTable | None = None
        self._has_pending = False
        self._available = -1
        self._previous: Table | None = None
        self._is_continued = False
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Table")
        formulas.ready.connect(self._write_pending)

    def show_block(self, block: Block) -> None:
        """Replace the table with `block`."""
        if block == self._block:
            return
        previous, self._block = self._block, block
        self._available = -1
        if (
            self._table is None
            or len(previous.rows[0]) != len(block.rows[0])
            or previous.alignments != block.alignments
        ):
            self._write_all()
            return
        same = 0
        while same < min(len(previous.rows), len(block.rows)) and previous.rows[same] == block.rows[same]:
            same += 1
        self._write_rows(self._table, same)

    def continue_table(self, previous: "Table") -> None:
        """Show further rows of the table in `previous`, with its columns."""
        self._previous = previous
        previous.set_continued(continued=True)

    def set_continued(self, *, continued: bool) -> None:
        """Leave out the border at the bottom if another part of the table follows."""
        if self._is_continued != continued:
            self._is_continued = continued
            self.viewport().update()

    def restyle(self) -> None:
        self.apply_theme()
        self._available = -1
        self._write_all()

    def height_for(self, width: int) -> int:
        if self._available != width:
            self._available = width
            self.setLineWrapColumnOrWidth(self._width_for(width))
        is_wide = self.lineWrapColumnOrWidth() > width
        return ceil(self.document().size().height()) + (self.scroll_bar_height() if is_wide else 0)

    def width_for(self, width: int) -> int:
        """Return the width of the table when `width` pixels are available. Call `height_for` first."""
        return min(width, self.lineWrapColumnOrWidth())

    def _width_for(self, width: int) -> int:
        if self._previous is not None:
            self._take_columns(self._previous)
            return self._previous.lineWrapColumnOrWidth()
        natural = self.natural_width(_UNBOUNDED)
        if natural <= width:
            return natural
        if natural <= _SQUEEZE * width and self._fits(width):
            return width
        return max(width, min(natural, len(self._block.rows[0]) * _COMFORTABLE_EMS * self._writer.em))

    def _take_columns(self, previous: "Table") -> None:
        widths = [QTextLength(QTextLength.Type.FixedLength, width) for width in previous.column_widths()]
        if self._table is not None and widths and self._table.format().columnWidthConstraints() != widths:
            table_format = self._table.format()
            table_format.setColumnWidthConstraints(widths)
            self._table.setFormat(table_format)

    def column_widths(self) -> list[float]:
        """Return the widths of the columns, in pixels. Call `height_for` first."""
        if self._previous is not None:
            return self._previous.column_widths()
        if self._table is None:
            return []
        layout, padding = self.document().documentLayout(), 2 * _PADDING_EMS * self._writer.em
        cells = (self._table.cellAt(0, column) for column in range(self._table.columns()))
        return [layout.blockBoundingRect(cell.firstCursorPosition().block()).width() + padding for cell in cells]

    def _fits(self, width: int) -> bool:
        """Return True if no word is wider than its column when the table has this width."""
        self.setLineWrapColumnOrWidth(width)
        return self.document().size().width() <= width

    def _write_all(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        self._table = cursor.insertTable(len(self._block.rows), len(self._block.rows[0]), self._format())
        cursor.endEditBlock()
        self._write_rows(self._table, 0)

    def _write_rows(self, table: QTextTable, first: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        table.resize(len(self._block.rows), len(self._block.rows[0]))
        self._has_pending = False if first == 0 else self._has_pending
        for number in range(max(first - 1, 0), len(self._block.rows)):
            self._write_row(table, number)
        cursor.endEditBlock()

    def _write_row(self, table: QTextTable, number: int) -> None:
        row = self._block.rows[number]
        for column, text in enumerate(row):
            cell = table.cellAt(number, column)
            cell.setFormat(self._cell_format(number))
            cursor = cell.firstCursorPosition()
            cursor.setPosition(cell.lastCursorPosition().position(), QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            alignment = _ALIGNMENTS[self._block.alignments[column]]
            self._has_pending |= self._writer.write_cell(
                cursor, text, header=number == 0 and not self._block.continues, alignment=alignment
            )

    def _write_pending(self) -> None:
        if self._has_pending and self._table is not None:
            self._available = -1
            self._write_rows(self._table, 0)
            self.reflowed.emit()

    def _format(self) -> QTextTableFormat:
        table = QTextTableFormat()
        table.setBorder(0)
        table.setCellSpacing(0)
        table.setCellPadding(0)
        table.setHeaderRowCount(0 if self._block.continues else 1)
        table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        return table

    def _cell_format(self, row: int) -> QTextTableCellFormat:
        em = self._writer.em
        cell = QTextTableCellFormat()
        cell.setLeftPadding(em * _PADDING_EMS)
        cell.setRightPadding(em * _PADDING_EMS)
        cell.setTopPadding(em * 0.5)
        cell.setBottomPadding(em * 0.3)
        if row < len(self._block.rows) - 1 or row == TABLE_ROWS - self._block.continues:
            cell.setBottomBorder(1)
            cell.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            cell.setBottomBorderBrush(self.theme.palette.border)
        return cell

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        # The border surrounds all parts of a table: beyond an inner edge, it is clipped.
        top, bottom = (-2 * _CORNER * inner for inner in (self._previous is not None, self._is_continued))
        area = QRectF(self.viewport().rect()).adjusted(0, top, 0, -bottom)
        rounded(painter, area, _CORNER, None, self.theme.palette.border)
        painter.end()
        super().paintEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        scroll_sideways(self.horizontalScrollBar(), event)
