"""The message field: grows with its text, keeps a draft per conversation, and sends.

A very long paste is kept out of the editor, where each key press would repeat its layout. It is a removable line above
the text, and is sent after the text.
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
"""Largest height of the editor, as a fraction of the window."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Unsent text."""

    text: str = ""
    pasted: str = ""

    def message(self) -> str:
        return "\n\n".join(part for part in (self.text, self.pasted) if part.strip())


class _PastedText(QWidget):
    """A line for a long paste, with a button that removes it."""

    removed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._label = QLabel()
        self._remove = IconButton(theme, "close", "Remove pasted text")
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
    """Emits `submitted` with the message; the owner calls `clear` when the message is accepted."""

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
        self._pasted = _PastedText(theme, self)
        self._pasted.show_text("")
        self._button = RoundButton(theme, "send", "Send")
        self._lay_out()
        self._connect()
        self._apply_theme()

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
        self.editor.textChanged.connect(self._on_text_changed)
        self.editor.submitted.connect(self._submit)
        self.editor.escaped.connect(self._stop)
        self.editor.long_pasted.connect(self._set_pasted_text)
        self.editor.focus_changed.connect(self.update)
        self._button.clicked.connect(lambda: self._stop() if self._busy else self._submit())
        self._pasted.removed.connect(lambda: self._set_pasted_text(""))
        self._theme.changed.connect(self._apply_theme)

    def set_placeholder(self, text: str) -> None:
        self.editor.setPlaceholderText(text)

    def set_state(self, *, busy: bool, can_send: bool) -> None:
        """While `busy`, the button stops the answer; otherwise it sends, if there is text and `can_send`."""
        self._busy, self._ready = busy, can_send
        self._button.set_icon("stop" if busy else "send")
        self._button.set_name("Stop" if busy else "Send", "Esc" if busy else "Return")
        self._update_button()

    def open_draft(self, conversation: str | None) -> None:
        """Show the draft of this conversation, and keep the current one."""
        if conversation == self._conversation:
            return
        self._drafts[self._conversation] = self._draft()
        self._conversation = conversation
        self._show(self._drafts.pop(conversation, Draft()))

    def set_conversation(self, conversation: str) -> None:
        """Attach the current draft to a new conversation, which just received its id."""
        self._conversation = conversation

    @property
    def message(self) -> str:
        """The message that would be sent."""
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
        self._set_pasted_text(draft.pasted)

    def _set_pasted_text(self, text: str) -> None:
        self._pasted_text = text
        self._pasted.show_text(text)
        self._on_text_changed()

    def _submit(self) -> None:
        # Without a model, the owner reports why the message cannot be sent.
        message = self._draft().message()
        if message and not self._busy:
            self.submitted.emit(message)

    def _stop(self) -> None:
        if self._busy:
            self.stop_requested.emit()

    def _on_text_changed(self) -> None:
        self._update_button()
        self._update_height()

    def _update_button(self) -> None:
        has_text = bool(self._pasted_text) or not self.editor.document().isEmpty()
        self._button.setEnabled(self._busy or (self._ready and has_text))

    def _update_height(self) -> None:
        line = QFontMetrics(self.editor.font()).lineSpacing()
        limit = max(1, int(self.window().height() * _LARGEST_SHARE / line))
        self.editor.setFixedHeight(line * self.editor.lines(limit) + 8)

    def _apply_theme(self) -> None:
        self.editor.setFont(self._theme.font("body"))
        palette = self.editor.palette()
        palette.setColor(palette.ColorRole.Base, self._theme.palette.surface)
        palette.setColor(palette.ColorRole.Text, self._theme.palette.text)
        palette.setColor(palette.ColorRole.PlaceholderText, self._theme.palette.tertiary)
        self.editor.setPalette(palette)
        self._update_height()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_height()

    def sizeHint(self) -> QSize:
        return QSize(400, super().sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        border = mixed(colors.border, colors.text, 0.3 if self.editor.hasFocus() else 0)
        rounded(QPainter(self), QRectF(self.rect()), 18, colors.surface, border)
