"""The list of places with the highest KL divergence, for jumping to them."""

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

from app.viewmodels.tokens.format import format_choices, preceding_text, visible
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme
from app.views.tokens.scale import MAX_KL, KlScale
from mlx_engine.measure.results.results import Divergence

_SIDE = 12
_CONTEXT = 60
"""Characters before the token."""


class WorstList(QListWidget):
    """Shows divergences, the worst first. `chosen` is emitted with the one to go to."""

    chosen = Signal(object)  # Divergence

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._divergences: Sequence[Divergence] = ()
        self.setAccessibleName("20 worst places")
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
        """Show these divergences."""
        if divergences is self._divergences:
            return
        self._divergences = divergences
        self.clear()
        for divergence in divergences:
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, divergence)
            kl, text = f"KL {divergence.kl:.2f}", f"{_context(divergence)} {visible(divergence.true)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{kl}, {text}: {_choices(divergence)}")
            self.addItem(item)

    def step(self, direction: int) -> None:
        """Go to the next place, or with -1 to the previous divergence."""
        row = min(max(self.currentRow() + direction, 0), self.count() - 1)
        if row >= 0:
            self.setCurrentRow(row)
            self._choose(self.item(row))

    def _choose(self, item: QListWidgetItem) -> None:
        self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))


class _Delegate(QStyledItemDelegate):
    """Paints two lines: the token with its context, and the first choices of both models."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        label = QFontMetrics(self._theme.font("label")).height()
        return QSize(100, label + QFontMetrics(self._theme.font("small")).height() + 16)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colors, divergence = self._theme.palette, index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        row = QRectF(option.rect).adjusted(4, 1, -4, -1)
        if option.state & QStyle.StateFlag.State_Selected:
            rounded(painter, row, 7, mixed(colors.window, colors.accent, 0.2))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            rounded(painter, row, 7, colors.hover)
        inside = row.adjusted(_SIDE - 4, 7, -_SIDE + 4, -7)
        self._paint_first(painter, inside, divergence)
        painter.setFont(self._theme.font("small"))
        painter.setPen(colors.secondary)
        choices = painter.fontMetrics().elidedText(
            _choices(divergence), Qt.TextElideMode.ElideRight, int(inside.width())
        )
        painter.drawText(inside, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, choices)
        painter.restore()

    def _paint_first(self, painter: QPainter, inside: QRectF, divergence: Divergence) -> None:
        """Paint the KL on its tint on the right; to the left, the true token and as much context as fits."""
        colors = self._theme.palette
        painter.setFont(self._theme.font("small", tabular=True))
        figure = f"{divergence.kl:.2f}"
        height, width = painter.fontMetrics().height() + 2, painter.fontMetrics().horizontalAdvance(figure) + 12
        badge = QRectF(inside.right() - width, inside.top(), width, height)
        rounded(painter, badge, 4, KlScale.of(self._theme).color(min(divergence.kl, MAX_KL)) or colors.hover)
        painter.setPen(colors.text)
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, figure)
        line = inside.adjusted(0, 0, -width - 8, 0)
        painter.setFont(self._theme.font("label", bold=True))
        gap = " " if divergence.true[:1].isspace() or divergence.before[-1:].isspace() else ""
        true = painter.fontMetrics().elidedText(
            visible(divergence.true), Qt.TextElideMode.ElideRight, int(line.width() * 0.6)
        )
        true_width = painter.fontMetrics().horizontalAdvance(f"{gap}{true}")
        label = self._theme.font("label")
        metrics = QFontMetrics(label)
        before = metrics.elidedText(_context(divergence), Qt.TextElideMode.ElideLeft, int(line.width() - true_width))
        indent = metrics.horizontalAdvance(f"{before}{gap}")
        painter.drawText(line.adjusted(indent, 0, 0, 0), Qt.AlignmentFlag.AlignLeft, true)
        painter.setFont(label)
        painter.setPen(colors.secondary)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, before)


def _context(divergence: Divergence) -> str:
    return preceding_text(divergence.before, _CONTEXT).rstrip()


def _choices(divergence: Divergence) -> str:
    first = [choices[0].text if choices else "" for choices in (divergence.reference, divergence.candidate)]
    return f"{divergence.kind} · {format_choices(*first)}"
