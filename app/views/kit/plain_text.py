"""Plain text in places where Qt guesses whether a string is markup, such as tooltips.

Model names and other texts from outside may look like markup. `TextLabel` declares plain text; tooltips, and labels
that Qt creates itself, cannot.
"""

from html import escape

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QToolTip


def plain(text: str) -> str:
    """Return `text` in a form that Qt shows verbatim."""
    return f'<p style="white-space: pre-wrap">{escape(text)}</p>' if "<" in text or "&" in text else text


class PlainToolTips(QStyledItemDelegate):
    """A delegate with plain-text tooltips."""

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
