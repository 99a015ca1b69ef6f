"""Where a message is written: it grows with its text, keeps a draft for each conversation, and sends.

A very long paste does not go into the editor, where every key press would lay it out again: it waits beside the text
as one line that can be taken out, and is sent behind the text.
"""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.views.chat.message_editor import MessageEditor
from app.views.kit.buttons import IconButton, RoundButton
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme

_LARGEST_SHARE = 0.4
"""Of the height of the window."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written but not sent."""

    text: str = ""
    pasted: str = ""

    def message(self) -> str:
        return "\n\n".join(part for part in (self.text, self.pasted) if part.strip())


class _Pasted(QWidget):
    """One line for a long paste, with a button that takes it out."""

    removed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._label = QLabel()
        self._remove = IconButton(theme, "close", "Remove the pasted text")
        self._remove.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 2, 2)
        row.addWidget(self._label, 1)
        row.addWidget(self._remove)

    def show_text(self, text: str) -> None:
        lines = text.count("\n") + 1
        self._label.setText(f"Pasted text, {len(text):,} characters in {lines:,} line{'s' * (lines > 1)}")
        self.setVisible(bool(text))

    def paintEvent(self, _event: QPaintEvent) -> None:
        rounded(QPainter(self), QRectF(self.rect()), 8, self._theme.palette.bubble)


class Composer(QWidget):
    """Emits `submitted` with the message; the owner empties it by `clear` when the message was taken."""

    submitted = Signal(str)
    stop_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drafts: dict[str | None, Draft] = {}
        self._conversation: str | None = None
        self._pasted_text = ""
        self._busy = False
        self._ready = False
        self.editor = MessageEditor()
        theme.thin_scroll_bars(self.editor)
        self.setFocusProxy(self.editor)
        self._pasted = _Pasted(theme, self)
        self._pasted.show_text("")
        self._button = RoundButton(theme, "send", "Send")
        self._lay_out()
        self._connect()
        self._dress()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.editor, 1)
        row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 9, 9, 9)
        column.setSpacing(6)
        column.addWidget(self._pasted)
        column.addLayout(row)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _connect(self) -> None:
        self.editor.textChanged.connect(self._follow_text)
        self.editor.submitted.connect(self._submit)
        self.editor.escaped.connect(self._stop)
        self.editor.long_pasted.connect(self._keep_paste)
        self.editor.focus_changed.connect(self.update)
        self._button.clicked.connect(lambda: self._stop() if self._busy else self._submit())
        self._pasted.removed.connect(lambda: self._keep_paste(""))
        self._theme.changed.connect(self._dress)

    def set_placeholder(self, text: str) -> None:
        self.editor.setPlaceholderText(text)

    def set_state(self, *, busy: bool, can_send: bool) -> None:
        """While `busy` the button stops the answer; else it sends, if there is a text and `can_send`."""
        self._busy, self._ready = busy, can_send
        self._button.set_icon("stop" if busy else "send")
        self._button.set_name("Stop" if busy else "Send", "Esc" if busy else "Return")
        self._follow_button()

    def open_draft(self, conversation: str | None) -> None:
        """Put the draft of this conversation in place of the one on the screen, which is kept."""
        if conversation == self._conversation:
            return
        self._drafts[self._conversation] = self._draft()
        self._conversation = conversation
        self._show(self._drafts.pop(conversation, Draft()))

    def adopt(self, conversation: str) -> None:
        """What is written belongs to this conversation: the new one on the screen has got its id."""
        self._conversation = conversation

    @property
    def message(self) -> str:
        """What would be sent."""
        return self._draft().message()

    def set_text(self, text: str) -> None:
        self._show(Draft(text=text))

    def clear(self) -> None:
        self._show(Draft())

    def _draft(self) -> Draft:
        return Draft(text=self.editor.toPlainText(), pasted=self._pasted_text)

    def _show(self, draft: Draft) -> None:
        self.editor.setPlainText(draft.text)
        self.editor.moveCursor(self.editor.textCursor().MoveOperation.End)
        self._keep_paste(draft.pasted)

    def _keep_paste(self, text: str) -> None:
        self._pasted_text = text
        self._pasted.show_text(text)
        self._follow_text()

    def _submit(self) -> None:
        # Not ready, because there is no model, is no reason to keep silent: whoever takes the message says why not.
        message = self._draft().message()
        if message and not self._busy:
            self.submitted.emit(message)

    def _stop(self) -> None:
        if self._busy:
            self.stop_requested.emit()

    def _follow_text(self) -> None:
        self._follow_button()
        self._follow_height()

    def _follow_button(self) -> None:
        has_text = bool(self._pasted_text) or not self.editor.document().isEmpty()
        self._button.setEnabled(self._busy or (self._ready and has_text))

    def _follow_height(self) -> None:
        line = QFontMetrics(self.editor.font()).lineSpacing()
        most = max(1, int(self.window().height() * _LARGEST_SHARE / line))
        self.editor.setFixedHeight(line * self.editor.lines(most) + 8)

    def _dress(self) -> None:
        self.editor.setFont(self._theme.font("body"))
        palette = self.editor.palette()
        palette.setColor(palette.ColorRole.Base, self._theme.palette.surface)
        palette.setColor(palette.ColorRole.Text, self._theme.palette.text)
        palette.setColor(palette.ColorRole.PlaceholderText, self._theme.palette.tertiary)
        self.editor.setPalette(palette)
        self._follow_height()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_height()

    def sizeHint(self) -> QSize:
        return QSize(400, super().sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = self._theme.palette
        border = mixed(colours.border, colours.text, 0.3 if self.editor.hasFocus() else 0)
        rounded(QPainter(self), QRectF(self.rect()), 18, colours.surface, border)
