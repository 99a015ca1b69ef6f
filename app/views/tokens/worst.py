"""The places where a candidate is farthest from the original, as a list to jump from."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.viewmodels.tokens.format import both, context, visible
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme
from app.views.tokens.scale import MOST, KlScale
from mlx_engine.measure.results.results import Divergence

_SIDE = 12
_CONTEXT = 60
"""Characters before the token."""


class WorstList(QListWidget):
    """Shows divergences, the worst first; `chosen` is the one to go to."""

    chosen = Signal(object)  # Divergence

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: Sequence[Divergence] = ()
        self.setAccessibleName("The twenty worst places")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setItemDelegate(_Delegate(theme, self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.viewport().setAutoFillBackground(False)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self.scheduleDelayedItemsLayout)
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def show_divergences(self, divergences: Sequence[Divergence]) -> None:
        """Show these; the same ones stay as they are."""
        if divergences is self._shown:
            return
        self._shown = divergences
        self.clear()
        for one in divergences:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, one)
            words = f"KL {one.kl:.2f}, {_context(one)} {visible(one.true)}: {_choices(one)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            self.addItem(item)

    def step(self, direction: int) -> None:
        """Go to the next of them, or with -1 to the one before."""
        row = min(max(self.currentRow() + direction, 0), self.count() - 1)
        if row >= 0:
            self.setCurrentRow(row)
            self._choose(self.item(row))

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))


class _Delegate(QStyledItemDelegate):
    """Two lines: the context with the token that follows, and what both would have written."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        label = QFontMetrics(self._theme.font("label")).height()
        return QSize(100, label + QFontMetrics(self._theme.font("small")).height() + 16)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colours, one = self._theme.palette, index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        row = QRectF(option.rect).adjusted(4, 1, -4, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            rounded(painter, row, 7, mixed(colours.window, colours.accent, 0.2))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, row, 7, colours.hover)
        inside = row.adjusted(_SIDE - 4, 7, -_SIDE + 4, -7)
        self._paint_first(painter, inside, one)
        painter.setFont(self._theme.font("small"))
        painter.setPen(colours.secondary)
        shown = painter.fontMetrics().elidedText(_choices(one), Qt.TextElideMode.ElideRight, int(inside.width()))
        painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, shown)
        painter.restore()

    def _paint_first(self, painter: QPainter, inside: QRectF, one: Divergence) -> None:
        """Draw the KL on its tint at the right; left of it the true token, and as much of what is before as fits."""
        colours = self._theme.palette
        painter.setFont(self._theme.font("small", tabular=True))
        figure = f"{one.kl:.2f}"
        height, width = painter.fontMetrics().height() + 2, painter.fontMetrics().horizontalAdvance(figure) + 12
        badge = QRectF(inside.right() - width, inside.top(), width, height)
        rounded(painter, badge, 4, KlScale.of(self._theme).colour(min(one.kl, MOST)) or colours.hover)
        painter.setPen(colours.text)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, figure)
        line = inside.adjusted(0, 0, -width - 8, 0)
        painter.setFont(self._theme.font("label", bold=True))
        gap = " " if one.true[:1].isspace() or one.before[-1:].isspace() else ""
        true = painter.fontMetrics().elidedText(visible(one.true), Qt.TextElideMode.ElideRight, int(line.width() * 0.6))
        taken = painter.fontMetrics().horizontalAdvance(f"{gap}{true}")
        label = self._theme.font("label")
        metrics = QFontMetrics(label)
        before = metrics.elidedText(_context(one), Qt.TextElideMode.ElideLeft, int(line.width() - taken))
        left = metrics.horizontalAdvance(f"{before}{gap}")
        painter.drawText(line.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignLeft, true)
        painter.setFont(label)
        painter.setPen(colours.secondary)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, before)


def _context(one: Divergence) -> str:
    return context(one.before, _CONTEXT).rstrip()


def _choices(one: Divergence) -> str:
    first = [choices[0].text if choices else "" for choices in (one.reference, one.candidate)]
    return f"{one.kind} · {both(*first)}"
