"""Notice below an answer that was stopped or interrupted, or that failed."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QWidget

from app.domain.conversation import Message, MessageState
from app.views.kit.buttons import TextButton
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme

_SENTENCES = {
    MessageState.STOPPED: "You stopped this answer.",
    MessageState.INTERRUPTED: "Facet quit during this answer.",
}
_PADDING = 14


class AnswerNotice(QWidget):
    """Shows the state of an answer; a failure is in a frame, with a button to try again."""

    retry_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._failed = False
        self._title = QLabel(self)
        self._sentence = QLabel(self)
        self._retry = TextButton(theme, "Try Again", self)
        self._retry.clicked.connect(self.retry_clicked)
        for label in (self._title, self._sentence):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.restyle()

    @staticmethod
    def is_needed(message: Message) -> bool:
        """Return True if the state of `message` needs a notice."""
        return message.state is MessageState.FAILED or message.state in _SENTENCES

    def show_message(self, message: Message) -> None:
        self._failed = message.state is MessageState.FAILED
        title, _, sentence = message.error.partition(". ")
        if not sentence:
            title, sentence = "Couldn't finish this answer", message.error or "The engine reported no reason."
        self._title.setText(title)
        self._sentence.setText(sentence.strip() if self._failed else _SENTENCES.get(message.state, ""))
        self._title.setVisible(self._failed)
        self._retry.setVisible(self._failed)
        self.restyle()

    def set_busy(self, *, busy: bool) -> None:
        self._retry.setEnabled(not busy)

    def restyle(self) -> None:
        colors = self._theme.palette
        self._title.setFont(self._theme.font("heading"))
        self._sentence.setFont(self._theme.font("body" if self._failed else "small"))
        sentence = colors.text if self._failed else colors.secondary
        for label, color in ((self._title, colors.danger), (self._sentence, sentence)):
            palette = label.palette()
            palette.setColor(QPalette.ColorRole.WindowText, color)
            label.setPalette(palette)

    def height_for(self, width: int) -> int:
        """Arrange the parts for `width`, and return their height."""
        padding = _PADDING if self._failed else 0
        available, top = width - 2 * padding, padding
        for part in (self._title, self._sentence) if self._failed else (self._sentence,):
            height = part.heightForWidth(available)
            part.setGeometry(padding, top, available, height)
            top += height + 4
        if self._failed:
            size = self._retry.sizeHint()
            self._retry.setGeometry(padding, top + 6, size.width(), size.height())
            top += size.height() + 10
        return top + padding - 4

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._failed:
            fill = QColor(self._theme.palette.danger)
            fill.setAlphaF(0.07)
            rounded(QPainter(self), QRectF(self.rect()), 10, fill)
