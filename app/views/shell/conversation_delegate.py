"""Delegate for a conversation in the sidebar, with an in-place editor of its title."""

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.viewmodels.chat.conversation_list import ConversationRole
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme

Index = QModelIndex | QPersistentModelIndex

_SIDE = 8
"""Horizontal margin of the highlight, in pixels."""


class ConversationDelegate(QStyledItemDelegate):
    """Paints title over subtitle, with the name of the section above its first row."""

    renamed = Signal(str, str)  # id, title

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self._section_height(index) + self._row_height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        self._paint_section(painter, option.rect, index)
        row = self._row(option.rect, index)
        colors = self._theme.palette
        title, subtitle = colors.text, colors.secondary
        if option.state & QStyle.StateFlag.State_Selected:
            has_focus = bool(option.state & QStyle.StateFlag.State_Active and option.widget.hasFocus())
            rounded(painter, QRectF(row), 7, colors.accent if has_focus else mixed(colors.sidebar, colors.text, 0.1))
            title, subtitle = (colors.accent_text, colors.accent_text) if has_focus else (title, subtitle)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, QRectF(row), 7, colors.hover)
        if index.data(ConversationRole.ANSWERING):
            dot = QRectF(row.right() - 16, row.center().y() - 3, 6, 6)
            rounded(painter, dot, 3, subtitle if subtitle == colors.accent_text else colors.accent)
            row.setRight(row.right() - 16)
        right, middle = Qt.TextElideMode.ElideRight, Qt.TextElideMode.ElideMiddle
        for role, font, color, line, elide in (
            (ConversationRole.TITLE, self._font(), title, self._title(row), right),
            # The age at the end matters more than the middle of a model's name.
            (ConversationRole.SUBTITLE, self._theme.font("small"), subtitle, self._subtitle(row), middle),
        ):
            painter.setFont(font)
            painter.setPen(color)
            elided = painter.fontMetrics().elidedText(str(index.data(role) or ""), elide, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.restore()

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setFont(self._font())
        editor.setAccessibleName("Conversation title")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        line = self._title(self._row(option.rect, index))
        editor.setGeometry(line.adjusted(-6, -4, 4, 4))

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(index.data(ConversationRole.TITLE))
            editor.selectAll()

    def setModelData(self, editor: QWidget, _model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit) and (title := editor.text().strip()):
            self.renamed.emit(index.data(ConversationRole.ID), title)

    def _font(self) -> QFont:
        return self._theme.font("label")

    def _row_height(self) -> int:
        return QFontMetrics(self._font()).height() + QFontMetrics(self._theme.font("small")).height() + 16

    def _section_height(self, index: Index) -> int:
        return QFontMetrics(self._theme.font("small")).height() + 18 if self._section(index) else 0

    def _section(self, index: Index) -> str:
        """Return the name of the section that starts with this row, or ""."""
        section = index.data(ConversationRole.SECTION) or ""
        previous = index.model().index(index.row() - 1, 0)
        return section if not previous.isValid() or previous.data(ConversationRole.SECTION) != section else ""

    def _row(self, rect: QRect, index: Index) -> QRect:
        return rect.adjusted(_SIDE, self._section_height(index), -_SIDE, -2)

    def _title(self, row: QRect) -> QRect:
        return QRect(row.left() + 10, row.top() + 6, row.width() - 20, QFontMetrics(self._font()).height())

    def _subtitle(self, row: QRect) -> QRect:
        height = QFontMetrics(self._theme.font("small")).height()
        return QRect(row.left() + 10, row.bottom() - 6 - height, row.width() - 20, height)

    def _paint_section(self, painter: QPainter, rect: QRect, index: Index) -> None:
        painter.setFont(self._theme.font("small", bold=True))
        painter.setPen(self._theme.palette.secondary)
        line = QRect(
            rect.left() + _SIDE + 10, rect.top() + 8, rect.width() - 2 * _SIDE, self._section_height(index) - 8
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, self._section(index))
