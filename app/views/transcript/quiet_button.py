"""A small button that is drawn only while its message is active."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.buttons import IconButton
from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme


class QuietButton(IconButton):
    """Shows its icon while it is lit or has the focus. Mouse and keyboard reach it either way."""

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget) -> None:
        super().__init__(theme, icon, name, parent)
        self._is_shown = False
        self._name = icon

    def set_icon(self, icon: str) -> None:
        self._name = icon
        super().set_icon(icon)

    def set_lit(self, *, is_lit: bool) -> None:
        """Show or hide the icon."""
        self._is_shown = is_lit
        self.update()

    def sizeHint(self) -> QSize:
        side = self.theme.scaled(16) + 11
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not (self._is_shown or self.hasFocus()):
            return
        colors = self.theme.palette
        painter = QPainter(self)
        area = self.rect()
        if self.isEnabled() and (self.underMouse() or self.isDown()):
            rounded(painter, area.toRectF(), 6, colors.hover)
        if self.hasFocus():
            focus_ring(painter, area.toRectF(), 6, colors.accent)
        side = self.theme.scaled(16)
        color = colors.secondary if self.isEnabled() else colors.border
        image = pixmap(self._name, side=side, scale=self.devicePixelRatioF(), color=color)
        painter.drawPixmap((area.width() - side) // 2, (area.height() - side) // 2, image)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()
