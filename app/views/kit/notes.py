"""Warnings and remarks above a form."""

from collections.abc import Sequence

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class Notes(QWidget):
    """Sentences on a tinted background, hidden while there are none."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._label = TextLabel(theme, role="small", wraps=True)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 7, 12, 7)
        inside.addWidget(self._label)

    def show_sentences(self, sentences: Sequence[str]) -> None:
        self._label.setText("\n".join(sentences))
        self.setVisible(bool(sentences))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), self.rect().toRectF(), 9, mixed(colors.window, colors.warning, 0.14))
