"""A label in the fonts and colors of the theme."""

from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy

from app.views.kit.theme import FontRole, Theme

Tone = Literal["text", "secondary", "tertiary", "success", "warning", "danger"]


class TextLabel(QLabel):
    """Plain text, never read as markup. It wraps, or is elided in the middle if it does not fit."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        *,
        role: FontRole = "label",
        tone: Tone = "text",
        bold: bool = False,
        wraps: bool = False,
    ) -> None:
        super().__init__(text)
        self._theme, self._role, self._tone, self._bold = theme, role, tone, bold
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wraps)
        if not wraps:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self._apply_theme()

    def minimumSizeHint(self) -> QSize:
        """Return a size that a long word cannot make wider than the window."""
        size = super().minimumSizeHint()
        return QSize(min(size.width(), 60), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.wordWrap() or self.sizeHint().width() <= self.width():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        elided = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width())
        painter.drawText(self.rect(), self.alignment(), elided)

    def _apply_theme(self) -> None:
        self.setFont(self._theme.font(self._role, tabular=True, bold=self._bold))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, getattr(self._theme.palette, self._tone))
        self.setPalette(palette)
