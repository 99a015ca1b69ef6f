"""A line of text to edit in a frame of the theme, with or without an icon, and one to search with."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme

_ICON_SIDE = 16
_RADIUS = 8


class TextField(QLineEdit):
    """A line edit. `name` is for screen readers, `placeholder` is shown while it is empty."""

    def __init__(
        self, theme: Theme, name: str, *, placeholder: str = "", icon: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._icon = theme, icon
        self.setFrame(False)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_MacShowFocusRect, False)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def _apply_theme(self) -> None:
        colors = self._theme.palette
        self.setFont(self._theme.font("label"))
        self.setTextMargins(self._theme.scaled(_ICON_SIDE) + 18 if self._icon else 8, 0, 8, 0)
        self.setFixedHeight(QFontMetrics(self.font()).height() + 12)
        palette = self.palette()
        palette.setColor(palette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(palette.ColorRole.Text, colors.text)
        palette.setColor(palette.ColorRole.PlaceholderText, colors.tertiary)
        self.setPalette(palette)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, area = self._theme.palette, QPainter(self), QRectF(self.rect())
        rounded(painter, area, _RADIUS, colors.surface, colors.border)
        if self.hasFocus():
            focus_ring(painter, area, _RADIUS, colors.accent)
        if self._icon:
            side = self._theme.scaled(_ICON_SIDE)
            symbol = pixmap(self._icon, side=side, scale=self.devicePixelRatioF(), color=colors.tertiary)
            painter.drawPixmap(10, (self.height() - side) // 2, symbol)
        painter.end()
        super().paintEvent(event)


class SearchField(TextField):
    """A field with a magnifying glass. Escape clears it; the Down key leads to the results."""

    down_pressed = Signal()

    def __init__(self, theme: Theme, placeholder: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, placeholder=placeholder, icon="search", parent=parent)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.down_pressed.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
