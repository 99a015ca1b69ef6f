"""What stands in the place of the text while there is none: what is going on, or what went wrong."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.painting import mixed, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_WIDTH, _BAR = 380, 4


class Notice(QWidget):
    """A title, a sentence, and a bar where it is known how far something is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = None
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._words = TextLabel(theme, role="label", tone="secondary", wraps=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 24, 12)
        column.addStretch(2)
        for words in (self._title, self._words):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(words)
        column.addStretch(3)

    def tell(self, title: str, words: str, share: float | None = None) -> None:
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._words.setText(words)
        self._share = share
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._share is None:
            return
        colours, painter = self._theme.palette, QPainter(self)
        width = min(self._theme.scaled(_WIDTH), self.width() - 48)
        bar = QRectF((self.width() - width) / 2, self._words.geometry().bottom() + 14, width, _BAR)
        rounded(painter, bar, _BAR / 2, mixed(colours.window, colours.text, 0.1))
        bar.setWidth(max(width * self._share, _BAR))
        rounded(painter, bar, _BAR / 2, colours.accent)
