"""Texts that others wrote, such as names of models, where Qt guesses whether it is given markup.

Labels of our own say that they are plain text. Tool tips, and labels that Qt makes itself, cannot.
"""

from html import escape

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QToolTip


def plain(text: str) -> str:
    """Return `text` so that Qt shows it as it is, whatever it looks like."""
    return f'<p style="white-space: pre-wrap">{escape(text)}</p>' if "<" in text or "&" in text else text


class PlainToolTips(QStyledItemDelegate):
    """A delegate whose tool tips are plain text."""

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> bool:
        tip = index.data(Qt.ItemDataRole.ToolTipRole)
        if event.type() != QEvent.Type.ToolTip or not tip:
            return super().helpEvent(event, view, option, index)
        QToolTip.showText(event.globalPos(), plain(tip), view)
        return True
