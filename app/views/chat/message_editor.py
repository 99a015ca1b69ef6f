"""The text editor of the composer, with the keys of a chat."""

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

LONG_PASTE = 20_000
"""Pasted text of this many characters or more is not inserted, but emitted by `long_pasted`."""


class MessageEditor(QPlainTextEdit):
    """Plain text only. Return submits, Shift-Return inserts a line break."""

    submitted = Signal()
    escaped = Signal()
    long_pasted = Signal(str)
    focus_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setAccessibleName("Message")
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(2)
        self.textChanged.connect(self._align)

    def _align(self) -> None:
        """Align the text to the right if its first line is in a language written from right to left."""
        is_rtl = self.document().begin().textDirection() == Qt.LayoutDirection.RightToLeft
        alignment = Qt.AlignmentFlag.AlignRight if is_rtl else Qt.AlignmentFlag.AlignLeft
        option = self.document().defaultTextOption()
        if option.alignment() != alignment:
            option.setAlignment(alignment)
            self.document().setDefaultTextOption(option)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif is_return and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.submitted.emit()
        elif is_return:
            self.textCursor().insertText("\n")
            self.ensureCursorVisible()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if len(source.text()) >= LONG_PASTE:
            self.long_pasted.emit(source.text())
        else:
            self.insertPlainText(source.text())
            self.ensureCursorVisible()

    def lines(self, limit: int) -> int:
        """Return the number of lines, at most `limit`."""
        block, count = self.document().begin(), 0
        while block.isValid() and count < limit:
            # Asking for the height of a block lays it out, which its line count requires.
            self.document().documentLayout().blockBoundingRect(block)
            count += max(block.layout().lineCount(), 1)
            block = block.next()
        return min(count, limit)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focus_changed.emit()
