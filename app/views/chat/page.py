"""The chat page: transcript, throughput bar and composer."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.library.library import ModelLibrary
from app.views.chat.composer import Composer
from app.views.chat.empty_state import DescribedModel, EmptyState
from app.views.chat.load_question_panel import LoadQuestionPanel
from app.views.chat.throughput_bar import ThroughputBar
from app.views.kit.controls import SmallButton
from app.views.kit.theme import Theme

if TYPE_CHECKING:
    from app.views.transcript import TranscriptView

_IDLE_MS = 300
_SIDE = 16
"""Pixels by which the composer extends beyond the text above it, on each side."""


class ChatPage(QWidget):
    """Shows `chat`. A conversation without messages shows the empty state instead of the transcript."""

    def __init__(self, chat: ChatViewModel, library: ModelLibrary, preferences: Preferences, theme: Theme) -> None:
        super().__init__()
        self._chat, self._library, self._preferences, self._theme = chat, library, preferences, theme
        self._preparation = ""
        self._empty = EmptyState(theme)
        self._throughput = ThroughputBar(theme)
        self._end_button = SmallButton(theme, "Quit Model")
        self._end_button.setToolTip("The model is not responding to Stop. Quitting it keeps the text so far.")
        self._question = LoadQuestionPanel(chat.gate, theme)
        self._held_text = ""
        """Text of the composer that is held back for a question."""
        self._held_edit: tuple[str, str] | None = None
        """Message id and new text of an edit that is held back for a question."""
        self.composer = Composer(theme)
        self._lay_out()
        self._connect()
        self._apply_theme()
        self._update_model()
        self._open()
        QTimer.singleShot(_IDLE_MS, self, lambda: self.transcript)

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._empty_scroll = QScrollArea(widgetResizable=True)
        self._empty_scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._empty_scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._empty_scroll.setWidget(self._empty)
        self._empty_scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._theme.thin_scroll_bars(self._empty_scroll)
        self._stack.addWidget(self._empty_scroll)
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(4)
        bar = QHBoxLayout()
        bar.setContentsMargins(_SIDE, 0, _SIDE, 0)
        bar.addWidget(self._throughput)
        bar.addWidget(self._end_button)
        foot.addWidget(self._question)
        foot.addLayout(bar)
        foot.addWidget(self.composer)
        middle = QHBoxLayout()
        middle.setContentsMargins(_SIDE, 0, _SIDE, _SIDE)
        middle.setSpacing(0)
        middle.addStretch(1)
        middle.addWidget(self._foot, 1000)
        middle.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._stack, 1)
        column.addLayout(middle)

    def _connect(self) -> None:
        chat = self._chat
        self._empty.question_chosen.connect(self._send)
        self.composer.submitted.connect(self._send)
        self.composer.editor.textChanged.connect(self._on_text_changed)
        self.composer.editor.escaped.connect(self._escape)
        self.composer.stop_requested.connect(chat.stop)
        self._end_button.clicked.connect(chat.end_model)
        self._theme.changed.connect(self._apply_theme)
        chat.hangs_changed.connect(self._update_busy)
        chat.accepted.connect(self._clear_held)
        chat.gate.declined.connect(self._restore_edit)
        chat.opened.connect(self._open)
        chat.item_added.connect(self._add)
        chat.throughput_changed.connect(self._update_throughput)
        chat.busy_changed.connect(self._update_busy)
        for changed in (chat.model_changed, self._library.refreshed):
            changed.connect(self._update_model)

    @cached_property
    def transcript(self) -> "TranscriptView":
        """The transcript, created at first use or when the window is idle.

        It imports the Markdown parser, which would slow down the launch.
        """
        from app.views.transcript import TranscriptView  # noqa: PLC0415

        chat, transcript = self._chat, TranscriptView(self._theme)
        self._stack.addWidget(transcript)
        chat.item_changed.connect(transcript.change_item)
        chat.text_streamed.connect(transcript.append_text)
        chat.busy_changed.connect(lambda: transcript.set_busy(chat.busy))
        self._preferences.changed.connect(lambda: transcript.set_unfolds_thinking(unfolds=self._unfolds_thinking()))
        transcript.set_unfolds_thinking(unfolds=self._unfolds_thinking())
        transcript.regenerate_requested.connect(chat.regenerate)
        transcript.edit_requested.connect(self._edit)
        transcript.branch_requested.connect(chat.switch_branch)
        return transcript

    def copy_last_answer(self) -> None:
        self.transcript.copy_message(self._chat.last_message_id("assistant"))

    def edit_last_message(self) -> None:
        """Open the editor of the user's last message."""
        self.transcript.edit_message(self._chat.last_message_id("user"))

    def show_preparation(self, line: str) -> None:
        """Show the preparation of the starter model; an empty line ends it."""
        self._preparation = line
        self._update_model()

    def _unfolds_thinking(self) -> bool:
        return self._preferences.settings.show_thinking

    def _send(self, text: str) -> None:
        if not self._chat.send(text):
            self._held_text = self.composer.message if self._chat.gate.question else ""
            return
        self.composer.clear()
        if self._chat.conversation:
            self.composer.set_conversation(self._chat.conversation.id)

    def _on_text_changed(self) -> None:
        """Withdraw the question when the user edits the held text."""
        if self._held_text and self.composer.message != self._held_text:
            self._held_text = ""
            self._chat.gate.withdraw()

    def _escape(self) -> None:
        """Cancel the question. During an answer, Escape stops the answer instead."""
        if not self._chat.busy:
            self._chat.gate.decline()

    def _edit(self, message: str, text: str) -> None:
        self._held_edit = None if self._chat.edit(message, text) else (message, text)

    def _restore_edit(self) -> None:
        """Reopen the editor after the user canceled the question about an edit."""
        self._held_text = ""
        if self._held_edit:
            self.transcript.edit_message(*self._held_edit)
            self._held_edit = None

    def _clear_held(self, text: str) -> None:
        """Clear a text that was held back and is sent now."""
        self._held_text, self._held_edit = "", None
        if self.composer.message == text:
            self.composer.clear()
        if self._chat.conversation:
            self.composer.set_conversation(self._chat.conversation.id)

    def _open(self) -> None:
        items = self._chat.items
        if items or "transcript" in self.__dict__:  # an empty conversation does not create it
            self.transcript.show_items(items)
            self.transcript.set_busy(self._chat.busy)
        self._show_stack()
        self.composer.open_draft(self._chat.conversation.id if self._chat.conversation else None)
        self._update_busy()
        self._update_throughput()

    def _add(self, item: Any) -> None:
        self.transcript.add_item(item)
        self._show_stack()

    def _show_stack(self) -> None:
        self._stack.setCurrentWidget(self.transcript if self._chat.items else self._empty_scroll)

    def _update_busy(self) -> None:
        self.composer.set_state(busy=self._chat.busy, can_send=self._chat.can_send)
        self._end_button.setVisible(self._chat.hangs)

    def _update_throughput(self) -> None:
        self._throughput.show_throughput(self._chat.throughput, self._model_name())

    def _update_model(self) -> None:
        model = self._model()
        if model is None and self._preparation:
            self._empty.show_model(None)
            self._empty.show_preparation("Getting ready", self._preparation)
        else:
            self._empty.show_model(model)
        self.composer.set_placeholder(f"Message {self._model_name()}" if model else "Message")
        self._update_busy()

    def _model(self) -> DescribedModel | None:
        return cast("DescribedModel | None", self._library.description(self._chat.model))

    def _model_name(self) -> str:
        model = self._model()
        return model.name if model else self._chat.model

    def _apply_theme(self) -> None:
        self._foot.setMaximumWidth(self._theme.reading_width + 2 * _SIDE)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
