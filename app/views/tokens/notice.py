"""Placeholder for the text: progress, or an error."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_WIDTH, _BAR = 380, 4


class TokenNotice(QWidget):
    """A title, a message, and a progress bar."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = None
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._message = TextLabel(theme, role="label", tone="secondary", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 24, 12)
        column.addStretch(2)
        for label in (self._title, self._message):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        column.addStretch(3)

    def show_message(self, title: str, message: str, share: float | None = None) -> None:
        """Show a message, with a progress bar for a `share` from 0 to 1."""
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._message.setText(message)
        self._share = share
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._share is None:
            return
        colors, painter = self._theme.palette, QPainter(self)
        width = min(self._theme.scaled(_WIDTH), self.width() - 48)
        bar = QRectF((self.width() - width) / 2, self._message.geometry().bottom() + 14, width, _BAR)
        rounded(painter, bar, _BAR / 2, mixed(colors.window, colors.text, 0.1))
        bar.setWidth(max(width * self._share, _BAR))
        rounded(painter, bar, _BAR / 2, colors.accent)
