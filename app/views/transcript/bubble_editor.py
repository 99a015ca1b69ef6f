"""Edits a user's message in place."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from app.views.kit.buttons import TextButton
from app.views.kit.theme import Theme

_TALLEST = 420
"""Largest height in pixels at 100% text size; longer text scrolls."""


class _EditorText(QPlainTextEdit):
    """The text field: Return inserts a line break, Command-Return sends, Escape cancels."""

    sent = Signal()
    canceled = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.sent.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.canceled.emit()
        else:
            super().keyPressEvent(event)


class BubbleEditor(QWidget):
    """A text field with Send and Cancel."""

    sent = Signal(str)
    canceled = Signal()
    resized = Signal()

    def __init__(self, theme: Theme, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = _EditorText(self)
        self._text.setFrameShape(QFrame.Shape.NoFrame)
        self._text.setTabChangesFocus(True)
        self._text.setAccessibleName("Edit message")
        self._text.setPlainText(text)
        self._text.document().setDocumentMargin(0)
        self._text.document().documentLayout().documentSizeChanged.connect(self.resized)
        self._cancel = TextButton(theme, "Cancel", self)
        self._send = TextButton(theme, "Send", self)
        self._cancel.clicked.connect(self.canceled)
        self._send.clicked.connect(self._finish)
        self._text.canceled.connect(self.canceled)
        self._text.sent.connect(self._finish)
        self._text.textChanged.connect(lambda: self._send.setEnabled(bool(self._text.toPlainText().strip())))
        theme.thin_scroll_bars(self._text)
        self.restyle()

    def start(self) -> None:
        """Focus the field, with the cursor at the end."""
        self._text.moveCursor(self._text.textCursor().MoveOperation.End)
        self._text.setFocus()

    def restyle(self) -> None:
        colors = self._theme.palette
        palette = self._text.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(QPalette.ColorRole.Text, colors.text)
        self._text.setPalette(palette)
        self._text.setFont(self._theme.font("body"))

    def height_for(self, width: int) -> int:
        """Arrange the parts for `width`, and return their height."""
        self._text.resize(width, self._text.height())
        lines = self._text.document().size().height()  # a QPlainTextEdit counts in lines
        spacing = self._text.fontMetrics().lineSpacing()
        tall = min(round(max(lines, 2) * spacing) + 4, self._theme.scaled(_TALLEST))
        self._text.setGeometry(0, 0, width, tall)
        right = width
        for button in (self._send, self._cancel):
            size = button.sizeHint()
            button.setGeometry(right - size.width(), tall + 8, size.width(), size.height())
            right -= size.width() + 8
        return tall + 8 + self._send.sizeHint().height()

    def _finish(self) -> None:
        text = self._text.toPlainText()
        if text.strip():
            self.sent.emit(text)
