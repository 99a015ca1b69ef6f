"""A table. It is as wide as it needs to be, and scrolls sideways where the page is narrower."""

from math import ceil

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QPainter,
    QPaintEvent,
    QTextCursor,
    QTextFrameFormat,
    QTextTable,
    QTextTableCellFormat,
    QTextTableFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.views.kit.painting import rounded
from app.views.kit.theme import Theme
from app.views.transcript.blocks import Alignment, Block
from app.views.transcript.formulas import Formulas
from app.views.transcript.rich_text import RichText
from app.views.transcript.sideways import scroll_sideways
from app.views.transcript.writer import Writer

_ALIGNMENTS: dict[Alignment, Qt.AlignmentFlag] = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}
_COMFORTABLE_EMS = 11
"""What a column may take before its text wraps."""
_UNBOUNDED = 100_000


class Table(RichText):
    """Shows a block of kind `table`; rows that have not changed are left alone."""

    reflowed = Signal()

    def __init__(self, theme: Theme, formulas: Formulas, writer: Writer, parent: QWidget) -> None:
        super().__init__(theme, formulas, parent)
        self._writer = writer
        self._block = Block("table")
        self._table: QTextTable | None = None
        self._waits = False
        self._room = -1
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Table")
        formulas.ready.connect(self._write_waiting)

    def show_block(self, block: Block) -> None:
        """Show `block` in place of what is there."""
        if block == self._block:
            return
        known, self._block = self._block, block
        self._room = -1
        if self._table is None or len(known.rows[0]) != len(block.rows[0]) or known.alignments != block.alignments:
            self._write_all()
            return
        same = 0
        while same < min(len(known.rows), len(block.rows)) and known.rows[same] == block.rows[same]:
            same += 1
        self._write_rows(self._table, same)

    def restyle(self) -> None:
        self.dress()
        self._room = -1
        self._write_all()

    def height_for(self, width: int) -> int:
        if self._room != width:
            self._room = width
            self.setLineWrapColumnOrWidth(self._width_for(width))
        is_wide = self.lineWrapColumnOrWidth() > width
        return ceil(self.document().size().height()) + (self.scroll_bar_height() if is_wide else 0)

    def width_for(self, width: int) -> int:
        """Return how wide the table is where `width` pixels are free; ask for its height first."""
        return min(width, self.lineWrapColumnOrWidth())

    def _width_for(self, width: int) -> int:
        natural = self.natural_width(_UNBOUNDED)
        if natural <= width:
            return natural
        return max(width, min(natural, len(self._block.rows[0]) * _COMFORTABLE_EMS * self._writer.em))

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
        self._waits = False if first == 0 else self._waits
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
            self._waits |= self._writer.write_cell(cursor, text, header=number == 0, alignment=alignment)

    def _write_waiting(self) -> None:
        if self._waits and self._table is not None:
            self._room = -1
            self._write_rows(self._table, 0)
            self.reflowed.emit()

    def _format(self) -> QTextTableFormat:
        table = QTextTableFormat()
        table.setBorder(0)
        table.setCellSpacing(0)
        table.setCellPadding(0)
        table.setHeaderRowCount(1)
        table.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_None)
        return table

    def _cell_format(self, row: int) -> QTextTableCellFormat:
        em = self._writer.em
        cell = QTextTableCellFormat()
        cell.setLeftPadding(em * 0.85)
        cell.setRightPadding(em * 0.85)
        cell.setTopPadding(em * 0.5)
        cell.setBottomPadding(em * 0.3)
        if row < len(self._block.rows) - 1:
            cell.setBottomBorder(1)
            cell.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
            cell.setBottomBorderBrush(self.theme.palette.border)
        return cell

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        rounded(painter, QRectF(self.viewport().rect()), 9, None, self.theme.palette.border)
        painter.end()
        super().paintEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        scroll_sideways(self.horizontalScrollBar(), event)
