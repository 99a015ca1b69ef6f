"""What a person should know before anything is begun, above the recipes."""

from collections.abc import Sequence

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class Notes(QWidget):
    """Sentences on a tinted ground; without any it is not there."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._words = TextLabel(theme, role="small", wraps=True)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(12, 7, 12, 7)
        inside.addWidget(self._words)

    def tell(self, sentences: Sequence[str]) -> None:
        self._words.setText("\n".join(sentences))
        self.setVisible(bool(sentences))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = self._theme.palette
        rounded(QPainter(self), self.rect().toRectF(), 9, mixed(colours.window, colours.warning, 0.14))
