"""The page of the conversation: what was said, what the engine is doing, and where to write."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.library.library import ModelLibrary
from app.views.chat.composer import Composer
from app.views.chat.empty_state import Described, EmptyState
from app.views.chat.load_question_panel import LoadQuestionPanel
from app.views.chat.throughput_bar import ThroughputBar
from app.views.kit.controls import SmallButton
from app.views.kit.theme import Theme

if TYPE_CHECKING:
    from app.views.transcript import TranscriptView

_IDLE_MS = 300
_SIDE = 16
"""Pixels by which the composer is wider than the text above it, on either side."""


class ChatPage(QWidget):
    """Renders `chat`; a conversation without messages shows the empty state in place of the transcript."""

    def __init__(self, chat: ChatViewModel, library: ModelLibrary, preferences: Preferences, theme: Theme) -> None:
        super().__init__()
        self._chat, self._library, self._preferences, self._theme = chat, library, preferences, theme
        self._preparation = ""
        self._empty = EmptyState(theme)
        self._throughput = ThroughputBar(theme)
        self._end_button = SmallButton(theme, "End the model")
        self._end_button.setToolTip("The model does not answer to Stop. Ending it keeps what there is of the answer.")
        self._question = LoadQuestionPanel(chat.gate, theme)
        self._asked = ""
        """The text of the composer that waits for a question."""
        self._edited: tuple[str, str] | None = None
        """The message that was to be edited, and the text that waits for a question."""
        self.composer = Composer(theme)
        self._lay_out()
        self._connect()
        self._dress()
        self._follow_model()
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
        self._empty.asked.connect(self._send)
        self.composer.submitted.connect(self._send)
        self.composer.editor.textChanged.connect(self._follow_text)
        self.composer.editor.escaped.connect(self._escape)
        self.composer.stop_requested.connect(chat.stop)
        self._end_button.clicked.connect(chat.end_model)
        self._theme.changed.connect(self._dress)
        chat.hangs_changed.connect(self._follow_busy)
        chat.taken.connect(self._clear_taken)
        chat.gate.given_up.connect(self._give_back)
        chat.opened.connect(self._open)
        chat.item_added.connect(self._add)
        chat.throughput_changed.connect(self._follow_throughput)
        chat.busy_changed.connect(self._follow_busy)
        for changed in (chat.model_changed, self._library.refreshed):
            changed.connect(self._follow_model)

    @cached_property
    def transcript(self) -> "TranscriptView":
        """The transcript, made when it is first needed or the window has nothing else to do.

        It brings the Markdown parser with it: the time that takes does not belong to the start.
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
        """Say that the first model is being made ready; an empty line says that this is over."""
        self._preparation = line
        self._follow_model()

    def _unfolds_thinking(self) -> bool:
        return self._preferences.settings.show_thinking

    def _send(self, text: str) -> None:
        if not self._chat.send(text):
            self._asked = self.composer.message if self._chat.gate.question else ""
            return
        self.composer.clear()
        if self._chat.conversation:
            self.composer.adopt(self._chat.conversation.id)

    def _follow_text(self) -> None:
        """Whoever writes on means another message than the one that waits."""
        if self._asked and self.composer.message != self._asked:
            self._asked = ""
            self._chat.gate.withdraw()

    def _escape(self) -> None:
        """Give a question up; while there is an answer, Escape stops that."""
        if not self._chat.busy:
            self._chat.gate.give_up()

    def _edit(self, message: str, text: str) -> None:
        self._edited = None if self._chat.edit(message, text) else (message, text)

    def _give_back(self) -> None:
        """A question was not taken up: let the person go on editing, if it was about a message that they edited."""
        self._asked = ""
        if self._edited:
            self.transcript.edit_message(*self._edited)
            self._edited = None

    def _clear_taken(self, text: str) -> None:
        """What was written has waited for a question, and is sent now."""
        self._asked, self._edited = "", None
        if self.composer.message == text:
            self.composer.clear()
        if self._chat.conversation:
            self.composer.adopt(self._chat.conversation.id)

    def _open(self) -> None:
        items = self._chat.items
        if items or "transcript" in self.__dict__:  # a conversation without messages does not bring it about
            self.transcript.show_items(items)
            self.transcript.set_busy(self._chat.busy)
        self._show_stack()
        self.composer.open_draft(self._chat.conversation.id if self._chat.conversation else None)
        self._follow_busy()
        self._follow_throughput()

    def _add(self, item: Any) -> None:
        self.transcript.add_item(item)
        self._show_stack()

    def _show_stack(self) -> None:
        self._stack.setCurrentWidget(self.transcript if self._chat.items else self._empty_scroll)

    def _follow_busy(self) -> None:
        self.composer.set_state(busy=self._chat.busy, can_send=self._chat.can_send)
        self._end_button.setVisible(self._chat.hangs)

    def _follow_throughput(self) -> None:
        self._throughput.show_throughput(self._chat.throughput, self._model_name())

    def _follow_model(self) -> None:
        model = self._model()
        if model is None and self._preparation:
            self._empty.show_model(None)
            self._empty.show_preparation("One moment", self._preparation)
        else:
            self._empty.show_model(model)
        self.composer.set_placeholder(f"Message {self._model_name()}" if model else "Message")
        self._follow_busy()

    def _model(self) -> Described | None:
        return cast("Described | None", self._library.description(self._chat.model))

    def _model_name(self) -> str:
        model = self._model()
        return model.name if model else self._chat.model

    def _dress(self) -> None:
        self._foot.setMaximumWidth(self._theme.reading_width + 2 * _SIDE)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
