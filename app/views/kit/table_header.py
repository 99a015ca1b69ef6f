"""The header of a table, with an arrow at the sorted column."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QHeaderView, QWidget

from app.views.kit.icons import pixmap
from app.views.kit.theme import Theme

ARROW = 12
PADDING = 8
"""Horizontal padding of a cell, in pixels; doubled at the left of the first column."""


class TableHeader(QHeaderView):
    """A header in the colors and fonts of the theme."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSortIndicatorShown(True)
        self.setAccessibleName("Columns")
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(0, QFontMetrics(self._theme.font("small")).height() + 12)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        colors, scale = self._theme.palette, self._theme.scaled
        painter.save()
        painter.fillRect(rect, colors.window)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, colors.border)
        is_sorted = section == self.sortIndicatorSection()
        painter.setFont(self._theme.font("small", bold=is_sorted))
        painter.setPen(colors.text if is_sorted else colors.secondary)
        model = self.model()
        title = str(model.headerData(section, self.orientation()))
        on_right = bool(model.headerData(section, self.orientation(), Qt.ItemDataRole.TextAlignmentRole))
        arrow = scale(ARROW) if is_sorted else 0
        text = rect.adjusted(PADDING * (2 if section == 0 else 1), 0, -PADDING, -1)
        if on_right:
            text.adjust(arrow, 0, 0, 0)
        else:
            text.adjust(0, 0, -arrow, 0)
        elided = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, text.width())
        side = Qt.AlignmentFlag.AlignRight if on_right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(text, side | Qt.AlignmentFlag.AlignVCenter, elided)
        if is_sorted:
            width = painter.fontMetrics().horizontalAdvance(elided)
            left_edge = text.right() - width - arrow if on_right else text.left() + width + 2
            self._draw_arrow(painter, QPoint(left_edge, rect.center().y() - arrow // 2), arrow)
        painter.restore()

    def _draw_arrow(self, painter: QPainter, corner: QPoint, side: int) -> None:
        descends = self.sortIndicatorOrder() == Qt.SortOrder.DescendingOrder
        name = "chevron-down" if descends else "chevron-up"
        color = self._theme.palette.secondary
        painter.drawPixmap(corner, pixmap(name, side=side, scale=self.devicePixelRatioF(), color=color))
