"""Paints a line of a study: name and figures in columns, and below them the verdict across all columns."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from app.viewmodels.lab.lines import StudyLine
from app.viewmodels.lab.table import StudyRole
from app.views.kit.painting import mixed, rounded
from app.views.kit.plain_text import PlainToolTips
from app.views.kit.row_table import RowTable
from app.views.kit.table_header import PADDING
from app.views.kit.theme import Theme
from app.views.lab.figure_alignment import FigureSlots

Index = QModelIndex | QPersistentModelIndex
_LEFT = 2 * PADDING
_WRAPPED = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
_BADGE = "best within limits"


class StudyRowDelegate(PlainToolTips):
    """Rows have the height of their wrapped sentences."""

    def __init__(self, theme: Theme, table: RowTable) -> None:
        super().__init__(table)
        self._theme, self._table = theme, table
        self.slots: Sequence[FigureSlots] = ()
        """Positions of the figures in each column."""

    def row_height(self, line: StudyLine) -> int:
        label = QFontMetrics(self._theme.font("label")).height()
        return label + sum(self._height(text) for text in (line.note, line.failure)) + 17

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self.row_height(index.data(StudyRole.LINE)))

    def _height(self, text: str) -> int:
        metrics = QFontMetrics(self._theme.font("small", tabular=True))
        if metrics.horizontalAdvance(text) <= self._note_width():
            return metrics.height() if text else 0
        return metrics.boundingRect(QRect(0, 0, self._note_width(), 10_000), _WRAPPED, text).height()

    def _note_width(self) -> int:
        return max(self._table.viewport().width() - _LEFT - 2 * PADDING, 120)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        painter.setClipRect(option.rect)
        line: StudyLine = index.data(StudyRole.LINE)
        self._paint_background(painter, option, index, line)
        self._paint_note(painter, option.rect, line)
        upper = option.rect.adjusted(PADDING, 7, -PADDING, 0)
        upper.setHeight(QFontMetrics(self._theme.font("label")).height())
        if index.column():
            self._paint_figure(painter, upper, index, line)
        self._paint_name_on_top(painter, option, index, line)
        painter.restore()

    def _paint_name_on_top(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, line: StudyLine
    ) -> None:
        """Paint the name, which stays at the left while the figures scroll: each cell paints its part."""
        area = QRect(0, option.rect.top(), self._table.columnWidth(0), option.rect.height())
        if not area.intersects(option.rect):
            return
        if self._table.horizontalScrollBar().value():
            painter.setClipRect(area.intersected(option.rect))
            painter.fillRect(area, self._theme.palette.window)
            self._paint_background(painter, option, index, line)
            self._paint_note(painter, option.rect, line)
        upper = area.adjusted(2 * PADDING, 7, -PADDING, 0)
        upper.setHeight(QFontMetrics(self._theme.font("label")).height())
        self._paint_name(painter, upper, line)

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, line: StudyLine) -> None:
        """Highlight the row, and draw a line below it."""
        if fill := self._table.row_fill(option, index.row()) or self._fill(line):
            self._table.paint_band(painter, QRectF(option.rect), fill)
        width = self._table.viewport().width() - _LEFT - PADDING
        painter.fillRect(QRect(_LEFT, option.rect.bottom(), width, 1), self._theme.palette.border)

    def _fill(self, line: StudyLine) -> QColor | None:
        colors = self._theme.palette
        if line.is_best:
            return mixed(colors.window, colors.success, 0.10)
        return colors.sidebar if line.is_reference else None

    def _paint_note(self, painter: QPainter, cell: QRect, line: StudyLine) -> None:
        colors = self._theme.palette
        top = cell.top() + 7 + QFontMetrics(self._theme.font("label")).height() + 2
        painter.setFont(self._theme.font("small", tabular=True))
        for text, color in ((line.note, colors.secondary), (line.failure, colors.danger)):
            painter.setPen(color)
            painter.drawText(QRect(_LEFT, top, self._note_width(), cell.bottom() - top), _WRAPPED, text)
            top += self._height(text)

    def _paint_name(self, painter: QPainter, area: QRect, line: StudyLine) -> None:
        colors = self._theme.palette
        if line.is_best:
            self._paint_badge(painter, area)
        painter.setFont(self._theme.font("label", bold=True))
        painter.setPen(colors.text)
        name = painter.fontMetrics().elidedText(line.name, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, name)

    def _paint_badge(self, painter: QPainter, area: QRect) -> None:
        """Draw the badge at the right, and leave the rest of `area` to the name."""
        colors = self._theme.palette
        painter.setFont(self._theme.font("small", bold=True))
        metrics = painter.fontMetrics()
        badge = QRect(0, 0, metrics.horizontalAdvance(_BADGE) + 14, metrics.height() + 2)
        badge.moveCenter(area.center())
        badge.moveRight(area.right())
        rounded(painter, QRectF(badge), badge.height() / 2, mixed(colors.window, colors.success, 0.2))
        painter.setPen(colors.success)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, _BADGE)
        area.setRight(badge.left() - 8)

    def _paint_figure(self, painter: QPainter, area: QRect, index: Index, line: StudyLine) -> None:
        """Draw a figure; a preliminary one is dimmed."""
        colors = self._theme.palette
        painter.setFont(self._theme.font("label", tabular=True))
        painter.setPen(colors.secondary if line.is_preliminary else colors.text)
        text, slots = str(index.data() or ""), self.slots[index.column() - 1]
        bar, right = self._table.horizontalScrollBar(), area.right() + 1
        is_behind_name = bar.value() > 0 and slots.left_edge(text, right) < self._table.columnWidth(0)
        # A clipped figure would read as another figure.
        if not is_behind_name and right + PADDING // 2 <= self._table.viewport().width():
            slots.draw(painter, area, text)
