"""Pill-shaped filters: on or off, or with a menu of values."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from app.views.kit.buttons import PaintedButton
from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.theme import Theme


class Chip(PaintedButton):
    """A filter that is on or off."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setText(text)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def is_set(self) -> bool:
        """True if it filters the results."""
        return self.isChecked()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        return QSize(metrics.horizontalAdvance(self.text()) + 24, metrics.height() + 10)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter, area = self.theme.palette, QPainter(self), QRectF(self.rect())
        fill = mixed(colors.window, colors.accent, 0.14) if self.is_set else None
        rounded(painter, area, area.height() / 2, fill, colors.accent if self.is_set else colors.border)
        if self._is_lit():
            rounded(painter, area, area.height() / 2, colors.hover)
        if self.hasFocus():
            focus_ring(painter, area, area.height() / 2, colors.accent)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colors.link if self.is_set else colors.text if self.isEnabled() else colors.secondary)
        painter.drawText(self._text_area(), Qt.AlignmentFlag.AlignCenter, self.text())
        self._paint_more(painter)

    def _text_area(self) -> QRectF:
        return QRectF(self.rect())

    def _paint_more(self, painter: QPainter) -> None:
        """Draw the parts of a subclass after the text."""


class MenuChip(Chip):
    """A chip whose values are in a menu."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent)
        self.setCheckable(False)
        self.clicked.connect(self._open)

    def menu(self) -> QMenu:
        """Return a new menu of the values."""
        raise NotImplementedError

    def _open(self) -> None:
        self.menu().popup(self.mapToGlobal(QPoint(0, self.height() + 4)))

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(self.theme.scaled(12) + 2, 0)

    def _text_area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(0, 0, -self.theme.scaled(12) - 2, 0)

    def _paint_more(self, painter: QPainter) -> None:
        side = self.theme.scaled(12)
        color = self.theme.palette.link if self.is_set else self.theme.palette.secondary
        arrow = pixmap("chevron-down", side=side, scale=self.devicePixelRatioF(), color=color)
        painter.drawPixmap(QPoint(self.width() - side - 10, (self.height() - side) // 2), arrow)


class ChoiceChip(MenuChip):
    """One of several values, chosen from a menu. The first does not filter."""

    value_changed = Signal()

    def __init__(
        self, theme: Theme, name: str, choices: Mapping[str, object], *, is_order: bool = False, parent: QWidget
    ) -> None:
        """`choices` has values by label. A sort order (`is_order`) never counts as a filter."""
        super().__init__(theme, next(iter(choices)), parent)
        self._name, self._choices, self._is_order = name, choices, is_order
        self.setAccessibleName(f"{name}: {self.text()}")

    @property
    def is_set(self) -> bool:
        return not self._is_order and self.text() != next(iter(self._choices))

    @property
    def value(self) -> object:
        return self._choices[self.text()]

    def choose(self, label: str) -> None:
        if label != self.text():
            self.setText(label)
            self.setAccessibleName(f"{self._name}: {label}")
            self.updateGeometry()
            self.value_changed.emit()

    def menu(self) -> QMenu:
        """Return the menu with the current value checked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for label in self._choices:
            action = QAction(label, menu, checkable=True, checked=label == self.text())
            action.triggered.connect(lambda _checked=False, label=label: self.choose(label))
            group.addAction(action)
            menu.addAction(action)
        return menu
