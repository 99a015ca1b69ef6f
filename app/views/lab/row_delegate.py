"""How one line of a study looks: the name and figures in columns, and below them, across all, what they mean."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QTableView

from app.viewmodels.lab_lines import Line
from app.viewmodels.lab_table import LabRole
from app.views.models.heading import PADDING
from app.views.painting import mixed, rounded
from app.views.plain import PlainTips
from app.views.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_LEFT = 2 * PADDING
_WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
_BADGE = "winner"


class RowDelegate(PlainTips):
    """A line is as high as its sentence needs in the width of the table."""

    def __init__(self, theme: Theme, table: QTableView) -> None:
        super().__init__(table)
        self._theme, self._table = theme, table
        self.hovered_row = -1

    def row_height(self, line: Line) -> int:
        label = QFontMetrics(self._theme.font("label")).height()
        return label + self._note_height(line) + 17

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self.row_height(index.data(LabRole.LINE)))

    def _note_height(self, line: Line) -> int:
        metrics = QFontMetrics(self._theme.font("small"))
        return metrics.boundingRect(QRect(0, 0, self._note_width(), 10_000), _WRAPPED, line.note).height()

    def _note_width(self) -> int:
        return max(self._table.viewport().width() - _LEFT - 2 * PADDING, 120)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setClipRect(option.rect)
        line: Line = index.data(LabRole.LINE)
        self._paint_ground(painter, option, index, line)
        self._paint_note(painter, option.rect, line)
        upper = option.rect.adjusted(PADDING, 7, -PADDING, 0)
        upper.setHeight(QFontMetrics(self._theme.font("label")).height())
        if index.column():
            self._paint_figure(painter, upper, index, line)
        self._paint_name_in_front(painter, option, index, line)
        painter.restore()

    def _paint_name_in_front(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, line: Line) -> None:
        """The name stays at the left while the figures are scrolled: each cell draws its part."""
        place = QRect(0, option.rect.top(), self._table.columnWidth(0), option.rect.height())
        if not place.intersects(option.rect):
            return
        if self._table.horizontalScrollBar().value():
            painter.setClipRect(place.intersected(option.rect))
            painter.fillRect(place, self._theme.palette.window)
            self._paint_ground(painter, option, index, line)
            self._paint_note(painter, option.rect, line)
        upper = place.adjusted(2 * PADDING, 7, -PADDING, 0)
        upper.setHeight(QFontMetrics(self._theme.font("label")).height())
        self._paint_name(painter, upper, line)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, line: Line) -> None:
        """Mark the row across all columns: the ends are round, and each cell draws its part."""
        colours = self._theme.palette
        fill = self._fill(bool(option.state & QStyle.StateFlag.State_Selected), index.row(), line)
        viewport = self._table.viewport().rect()
        if fill:
            band = QRectF(viewport.left() + 8, option.rect.top() + 1, viewport.width() - 10, option.rect.height() - 2)
            rounded(painter, band, 7, fill)
        painter.fillRect(QRect(_LEFT, option.rect.bottom(), viewport.width() - 2 * _LEFT, 1), colours.border)

    def _fill(self, is_selected: bool, row: int, line: Line) -> QColor | None:
        colours = self._theme.palette
        if is_selected:
            return mixed(colours.window, colours.accent, 0.24 if self._table.hasFocus() else 0.14)
        if row == self.hovered_row:
            return colours.hover
        if line.is_winner:
            return mixed(colours.window, colours.success, 0.10)
        return colours.sidebar if line.row.is_original and line.bits == 16 else None

    def _paint_note(self, painter: QPainter, cell: QRect, line: Line) -> None:
        colours = self._theme.palette
        top = cell.top() + 7 + QFontMetrics(self._theme.font("label")).height() + 2
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(colours.danger if line.has_failed else colours.secondary)
        painter.drawText(QRect(_LEFT, top, self._note_width(), cell.bottom() - top), _WRAPPED, line.note)

    def _paint_name(self, painter: QPainter, place: QRect, line: Line) -> None:
        colours = self._theme.palette
        if line.is_winner:
            self._paint_badge(painter, place)
        painter.setFont(self._theme.font("label", bold=True))
        painter.setPen(colours.text)
        name = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideMiddle, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, name)

    def _paint_badge(self, painter: QPainter, place: QRect) -> None:
        """Draw the word at the right, and leave the rest of the place to the name."""
        colours = self._theme.palette
        painter.setFont(self._theme.font("small", bold=True))
        metrics = painter.fontMetrics()
        badge = QRect(0, 0, metrics.horizontalAdvance(_BADGE) + 14, metrics.height() + 2)
        badge.moveCenter(place.center())
        badge.moveRight(place.right())
        rounded(painter, QRectF(badge), badge.height() / 2, mixed(colours.window, colours.success, 0.2))
        painter.setPen(colours.success)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, _BADGE)
        place.setRight(badge.left() - 8)

    def _paint_figure(self, painter: QPainter, place: QRect, index: Index, line: Line) -> None:
        """Draw a figure; one that may still change is paler."""
        colours = self._theme.palette
        painter.setFont(self._theme.font("label", tabular=True))
        is_open = line.is_open and line.fidelity is not None
        painter.setPen(colours.secondary if is_open else colours.text)
        text = str(index.data() or "")
        is_scrolled = bool(self._table.horizontalScrollBar().value())
        if is_scrolled and place.right() - painter.fontMetrics().horizontalAdvance(text) < self._table.columnWidth(0):
            # Half of a figure, beside the name in front of it, would be another figure.
            return
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
