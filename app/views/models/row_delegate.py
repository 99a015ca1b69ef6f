"""Paints a model in the table."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.columns import COLUMN_NAMES
from app.viewmodels.library.filter import ORIGINS
from app.viewmodels.library.library import Row, problem_of
from app.viewmodels.library.table import TableRole, intact_model
from app.views.kit.icons import pixmap
from app.views.kit.painting import rounded
from app.views.kit.plain_text import PlainToolTips
from app.views.kit.row_table import RowTable
from app.views.kit.table_header import PADDING
from app.views.kit.theme import Theme

Index = QModelIndex | QPersistentModelIndex


class ModelRowDelegate(PlainToolTips):
    """Paints the name above the owner or the problem, and plain text in the other columns."""

    def __init__(self, theme: Theme, table: RowTable) -> None:
        super().__init__(table)
        self._theme, self._table = theme, table

    def row_height(self) -> int:
        label, small = (QFontMetrics(self._theme.font(role)).height() for role in ("label", "small"))
        return label + small + 14

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(0, self.row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        self._paint_background(painter, option, index)
        row: Row = index.data(TableRole.ROW)
        name, inside = COLUMN_NAMES[index.column()], option.rect.adjusted(PADDING, 0, -PADDING, 0)
        painter.setClipRect(option.rect)
        if not intact_model(row):
            self._paint_name(painter, self._full_width(inside), row, "")
        elif name == "name":
            self._paint_name(painter, inside, row, describe_engine(index.data(TableRole.STATE)).text)
        elif name == "memory":
            self._paint_memory(painter, inside, str(index.data()), str(index.data(TableRole.VERDICT)))

        else:
            is_secondary = name in {"license", "last_used", "context"}
            color = self._theme.palette.secondary if is_secondary else self._theme.palette.text
            self._paint_text(painter, inside, index, color)
        painter.restore()

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if fill := self._table.row_fill(option, index.row()):
            painter.setClipRect(option.rect)
            self._table.paint_band(painter, QRectF(option.rect), fill)

    def _paint_name(self, painter: QPainter, inside: QRect, row: Row, state: str) -> None:
        colors, scale = self._theme.palette, self._theme.scaled
        model = intact_model(row)
        problem = "" if model and model.can_be_imported else problem_of(row)
        side = scale(18)
        icon, tint = ("warning", colors.warning) if problem else ("model", colors.secondary)
        left_edge = inside.left() + PADDING
        image = pixmap(icon, side=side, scale=painter.device().devicePixelRatioF(), color=tint)
        painter.drawPixmap(QPoint(left_edge, inside.center().y() - side // 2), image)
        lines = inside.adjusted(PADDING + side + 10, 6, 0, -7)
        painter.setFont(self._theme.font("label", bold=True))
        painter.setPen(colors.text if intact_model(row) else colors.secondary)
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideMiddle, lines.width())
        painter.drawText(lines, Qt.AlignmentFlag.AlignTop, name)
        painter.setFont(self._theme.font("small"))
        painter.setPen(colors.warning if problem else colors.secondary)
        origin = "" if row.origin == "facet" else ORIGINS[row.origin]
        to_import = "To import" if model and model.can_be_imported else ""
        detail = problem or " · ".join(filter(None, (row.id.rpartition("/")[0], origin, to_import, state)))
        detail = painter.fontMetrics().elidedText(detail, Qt.TextElideMode.ElideRight, lines.width())
        painter.drawText(lines, Qt.AlignmentFlag.AlignBottom, detail)

    def _full_width(self, inside: QRect) -> QRect:
        """Return the rectangle across all columns, for the problem of a damaged model; each cell draws its part."""
        left_edge = self._table.columnViewportPosition(0) + PADDING
        return QRect(left_edge, inside.top(), self._table.viewport().width() - left_edge - 2 * PADDING, inside.height())

    def _paint_memory(self, painter: QPainter, inside: QRect, text: str, verdict: str) -> None:
        """Draw the figure and a dot in the color of the verdict; a figure that is too large has that color as well."""
        colors = self._theme.palette
        color = {"fits": colors.success, "tight": colors.warning, "too large": colors.danger}[verdict]
        side = self._theme.scaled(7)
        rounded(painter, QRectF(inside.right() - side, inside.center().y() - side / 2 + 1, side, side), side / 2, color)
        painter.setFont(self._theme.font("label", tabular=True))
        painter.setPen(colors.danger if verdict == "too large" else colors.text)
        figure = inside.adjusted(0, 0, -side - 7, 0)
        painter.drawText(figure, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_text(self, painter: QPainter, inside: QRect, index: Index, color: QColor) -> None:
        painter.setFont(self._theme.font("label", tabular=True))
        painter.setPen(color)
        text = painter.fontMetrics().elidedText(str(index.data() or ""), Qt.TextElideMode.ElideRight, inside.width())
        on_right = index.data(Qt.ItemDataRole.TextAlignmentRole)
        side = Qt.AlignmentFlag.AlignRight if on_right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inside, side | Qt.AlignmentFlag.AlignVCenter, text)
