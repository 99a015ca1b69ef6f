"""Paints the models in the list of the picker."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelRole
from app.views.kit.icons import pixmap
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme

Index = QModelIndex | QPersistentModelIndex


class ModelDelegate(QStyledItemDelegate):
    """Paints name and state above the details or the problem; the chosen model has a check mark."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.chosen = ""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        lines = QFontMetrics(self._theme.font("label")).height() + QFontMetrics(self._theme.font("small")).height()
        return QSize(0, lines + 18)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        row = option.rect.adjusted(6, 1, -6, -1)
        colors = self._theme.palette
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            rounded(painter, QRectF(row), 7, colors.hover)
        if index.data(ModelRole.ID) == self.chosen:
            self._paint_tick(painter, row)
        engine = describe_engine(index.data(ModelRole.STATE))
        problem = index.data(ModelRole.BROKEN) or engine.problem
        state = "Unusable" if index.data(ModelRole.BROKEN) else engine.text
        text = row.adjusted(self._theme.scaled(18) + 16, 7, -12, -7)
        state_width = self._paint_state(painter, text, state, colors.danger if problem else colors.secondary)
        name = colors.tertiary if index.data(ModelRole.BROKEN) else colors.text
        self._line(painter, text.adjusted(0, 0, -state_width, 0), str(index.data(ModelRole.NAME)), name, top=True)
        self._line(painter, text, problem or str(index.data(ModelRole.DETAIL) or ""), colors.secondary, top=False)
        painter.restore()

    def _paint_tick(self, painter: QPainter, row: QRect) -> None:
        side = self._theme.scaled(16)
        scale = painter.device().devicePixelRatioF()
        image = pixmap("check", side=side, scale=scale, color=self._theme.palette.accent)
        painter.drawPixmap(QPoint(row.left() + 10, row.center().y() - side // 2), image)

    def _paint_state(self, painter: QPainter, text: QRect, state: str, color: QColor) -> int:
        """Paint the state on the right of the first line, and return its width."""
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(color)
        first = QRect(text.left(), text.top(), text.width(), QFontMetrics(self._theme.font("label")).height())
        painter.drawText(first, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, state)
        return painter.fontMetrics().horizontalAdvance(state) + 12 if state else 0

    def _line(self, painter: QPainter, text: QRect, content: str, color: QColor, *, top: bool) -> None:
        painter.setFont(self._theme.font("label") if top else self._theme.font("small", tabular=True))
        painter.setPen(color)
        elided = painter.fontMetrics().elidedText(content, Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignTop if top else Qt.AlignmentFlag.AlignBottom, elided)
