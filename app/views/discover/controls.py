"""Small controls of this page: badges, chips, a box to tick, buttons."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from app.views.buttons import PaintedButton, TextButton
from app.views.icons import pixmap
from app.views.painting import focus_ring, mixed, rounded
from app.views.theme import Theme


class Badge(QWidget):
    """A word in a tinted pill."""

    def __init__(self, theme: Theme, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone = "secondary"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        self.show_text(text)

    def show_text(self, text: str, tone: str = "secondary", why: str = "") -> None:
        """Show `text` in the colour called `tone` in the palette; `why` is the tool tip."""
        self._text, self._tone = text, tone
        self.setAccessibleName(text)
        self.setToolTip(why)
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._theme.font("small"))
        return QSize(metrics.horizontalAdvance(self._text) + 16, metrics.height() + 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self._theme.palette, QPainter(self)
        colour: QColor = getattr(colours, self._tone)
        rounded(painter, QRectF(self.rect()), self.height() / 2, mixed(colours.surface, colour, 0.12))
        painter.setFont(self._theme.font("small"))
        painter.setPen(colour)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)


class Chip(PaintedButton):
    """A filter that is on or off."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setText(text)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def is_set(self) -> bool:
        """Whether it narrows the search."""
        return self.isChecked()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        return QSize(metrics.horizontalAdvance(self.text()) + 24, metrics.height() + 10)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter, area = self.theme.palette, QPainter(self), QRectF(self.rect())
        fill = mixed(colours.window, colours.accent, 0.14) if self.is_set else None
        rounded(painter, area, area.height() / 2, fill, colours.accent if self.is_set else colours.border)
        if self._is_lit():
            rounded(painter, area, area.height() / 2, colours.hover)
        if self.hasFocus():
            focus_ring(painter, area, area.height() / 2, colours.accent)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colours.link if self.is_set else colours.text)
        painter.drawText(self._text_area(), Qt.AlignmentFlag.AlignCenter, self.text())
        self._paint_more(painter)

    def _text_area(self) -> QRectF:
        return QRectF(self.rect())

    def _paint_more(self, painter: QPainter) -> None:
        """Draw what a kind of chip has besides its text."""


class ChoiceChip(Chip):
    """One of several values, chosen from a menu; the first is the one that narrows nothing."""

    chosen = Signal()

    def __init__(
        self, theme: Theme, name: str, choices: Mapping[str, object], *, is_order: bool = False, parent: QWidget
    ) -> None:
        """`choices` are values by their words; an order is never marked as narrowing."""
        super().__init__(theme, next(iter(choices)), parent)
        self._name, self._choices, self._is_order = name, choices, is_order
        self.setCheckable(False)
        self.setAccessibleName(f"{name}: {self.text()}")
        self.clicked.connect(self._open)

    @property
    def is_set(self) -> bool:
        return not self._is_order and self.text() != next(iter(self._choices))

    @property
    def value(self) -> object:
        return self._choices[self.text()]

    def choose(self, words: str) -> None:
        if words != self.text():
            self.setText(words)
            self.setAccessibleName(f"{self._name}: {words}")
            self.updateGeometry()
            self.chosen.emit()

    def menu(self) -> QMenu:
        """Return the menu with the current choice ticked."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        group = QActionGroup(menu)
        for words in self._choices:
            action = QAction(words, menu, checkable=True, checked=words == self.text())
            action.triggered.connect(lambda _checked=False, words=words: self.choose(words))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def _open(self) -> None:
        self.menu().popup(self.mapToGlobal(QPoint(0, self.height() + 4)))

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(self.theme.scaled(12) + 2, 0)

    def _text_area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(0, 0, -self.theme.scaled(12) - 2, 0)

    def _paint_more(self, painter: QPainter) -> None:
        side = self.theme.scaled(12)
        colour = self.theme.palette.link if self.is_set else self.theme.palette.secondary
        arrow = pixmap("chevron-down", side=side, scale=self.devicePixelRatioF(), colour=colour)
        painter.drawPixmap(QPoint(self.width() - side - 10, (self.height() - side) // 2), arrow)


class Mark(PaintedButton):
    """A box to tick."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setCheckable(True)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        side = self.theme.scaled(16) + 4
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self.theme.palette, QPainter(self)
        box = QRectF(self.rect()).adjusted(2, 2, -2, -2)
        if self.isChecked():
            rounded(painter, box, 4, colours.accent)
            self._draw_tick(painter)
        else:
            rounded(painter, box, 4, colours.hover if self._is_lit() else None, colours.tertiary)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 6, colours.accent)

    def _draw_tick(self, painter: QPainter) -> None:
        side = self.theme.scaled(14)
        tick = pixmap("check", side=side, scale=self.devicePixelRatioF(), colour=self.theme.palette.accent_text)
        painter.drawPixmap(QPoint((self.width() - side) // 2, (self.height() - side) // 2), tick)


class SmallButton(TextButton):
    """A button for a row of others; `name` tells screen readers what it is about."""

    def __init__(self, theme: Theme, text: str, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent)
        self.setAccessibleName(name or text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return super().sizeHint() - QSize(0, 4)


class FilledButton(SmallButton):
    """The one thing to press here: a line of text on the accent colour."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent=parent)
        self.is_filled = True

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.is_filled or not self.isEnabled():
            super().paintEvent(event)
            return
        colours, painter, area = self.theme.palette, QPainter(self), QRectF(self.rect())
        rounded(painter, area, 9, mixed(colours.accent, colours.text, 0.15) if self._is_lit() else colours.accent)
        if self.hasFocus():
            focus_ring(painter, area.adjusted(2, 2, -2, -2), 7, colours.accent_text)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colours.accent_text)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
