"""One message: change of model, thinking, text, notice and footer."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.domain.conversation import MessageState
from app.viewmodels.chat.chat import MessageItem
from app.views.transcript.answer_notice import AnswerNotice
from app.views.transcript.backlog import Backlog, StreamedText
from app.views.transcript.block_view import BlockView
from app.views.transcript.bubble import Bubble
from app.views.transcript.footer import Footer
from app.views.transcript.model_change import ModelChange
from app.views.transcript.services import TranscriptServices
from app.views.transcript.thinking import Thinking

_GAP = 8

Part = ModelChange | Thinking | BlockView | Bubble | AnswerNotice | Footer


class MessageWidget(QWidget):
    """Shows a MessageItem. Until `make_ready` creates the parts, it has only an estimated height."""

    resized = Signal(object)  # this widget
    regenerate_requested = Signal(str)
    edit_requested = Signal(str, str)
    branch_requested = Signal(str, int)
    link_clicked = Signal(str)
    selected = Signal(object)

    def __init__(self, services: TranscriptServices, item: MessageItem, parent: QWidget) -> None:
        super().__init__(parent)
        self._services = services
        self.item = item
        self.is_built = False
        self.is_measured = False
        self.is_styled = True
        self._text = ""
        self._backlog = Backlog(self._show_streamed, self)
        self._model_change: ModelChange | None = None
        self._thinking: Thinking | None = None
        self._body: BlockView | Bubble | None = None
        self._notice: AnswerNotice | None = None
        self._footer: Footer | None = None
        self._is_last = self._is_busy = self._is_under_mouse = False
        self._set_name()

    @property
    def is_from_user(self) -> bool:
        """True for a user's message."""
        return self.item.message.role == "user"

    @property
    def is_ready(self) -> bool:
        """True if the parts exist, in the current theme, and are measured for the current width."""
        return self.is_built and self.is_styled and self.is_measured

    def tab_stops(self) -> list[QWidget]:
        """Return the widgets that accept keyboard focus, in reading order."""
        parts = self.findChildren(QWidget)
        stops = [part for part in parts if part.focusPolicy() & Qt.FocusPolicy.TabFocus]
        return sorted(stops, key=lambda part: part.mapTo(self, QPoint(0, 0)).toTuple()[::-1])

    def make_ready(self) -> None:
        """Create or restyle the parts. The caller measures the height."""
        if not self.is_built:
            self._build()
        elif not self.is_styled:
            self._restyle()
        self.is_styled = True

    def _build(self) -> None:
        self.is_built = True
        self._body = self._new_bubble() if self.is_from_user else self._new_answer()
        self._footer = Footer(self._services.theme, self.item, self)
        self._footer.regenerate_clicked.connect(lambda: self.regenerate_requested.emit(self.item.message.id))
        self._footer.branch_clicked.connect(lambda step: self.branch_requested.emit(self.item.message.id, step))
        self._footer.edit_clicked.connect(self.edit)
        self._body.show()
        self._footer.show()
        streamed = self._backlog.take()
        self._show_item()
        self._add(streamed)

    def set_item(self, item: MessageItem) -> None:
        """Show a new state of the message; `item` has the same id."""
        self.item = item
        self._set_name()
        if self.is_built:
            self._show_item()
            self.resized.emit(self)

    def append(self, kind: str, text: str) -> None:
        """Append `text` to the answer or the thinking, as soon as there is time to show it."""
        self._backlog.add(kind, text, may_show=self.is_built)

    def edit(self, text: str | None = None) -> None:
        """Open the editor with the text of the message, or with `text` from an earlier edit."""
        if isinstance(self._body, Bubble) and not self._is_busy:
            self._body.edit(text)

    def set_busy(self, *, busy: bool) -> None:
        """Disable changes while an answer is being written."""
        self._is_busy = busy
        for part in (self._footer, self._notice):
            if part is not None:
                part.set_busy(busy=busy)

    def set_last(self, *, is_last: bool) -> None:
        """Show the actions of the last message permanently."""
        self._is_last = is_last
        self._update_actions()

    def _restyle(self) -> None:
        for part, _ in self._parts():
            if not isinstance(part, Footer):
                part.restyle()

    def height_for(self, width: int) -> int:
        """Arrange the parts for `width`, and return their height."""
        if not self.is_built:
            return self._estimated_height(width)
        top = 0
        for part, gap in self._parts():
            if part.isHidden():
                continue
            top += gap
            height = part.height_for(width)
            part.setGeometry(0, top, width, height)
            top += height
        if self._is_waiting():
            top = max(top, self._services.theme.scaled(24))
        return top + (0 if self.is_from_user else _GAP)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._is_under_mouse = True
        self._update_actions()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._is_under_mouse = False
        self._update_actions()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._is_waiting():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._services.theme.palette.tertiary)
            y = self._body.y() + 10 if self._body is not None else 10
            for dot in range(3):
                painter.drawEllipse(QPoint(5 + 12 * dot, y), 3, 3)

    def _parts(self) -> Iterator[tuple[Part, int]]:
        """Yield the parts from the top, each with the space above it."""
        for part, gap in (
            (self._model_change, 0),
            (self._thinking, 2 * _GAP if self._model_change else 0),
            (self._body, 2 * _GAP if self._model_change and not self._thinking else _GAP if self._thinking else 0),
            (self._notice, 2 * _GAP),
            (self._footer, 2 if self.is_from_user else _GAP),
        ):
            if part is not None:
                yield part, gap

    def _new_bubble(self) -> Bubble:
        bubble = Bubble(self._services, self)
        bubble.resized.connect(self._emit_resized)
        bubble.link_clicked.connect(self.link_clicked)
        bubble.selected.connect(self.selected)
        bubble.edited.connect(lambda text: self.edit_requested.emit(self.item.message.id, text))
        bubble.editing_ended.connect(self._return_focus)
        return bubble

    def _return_focus(self) -> None:
        if self._footer is not None:
            self._footer.focus_change_button()

    def _new_answer(self) -> BlockView:
        answer = BlockView(self._services, self._services.markdown, self, name="Answer")
        answer.reflowed.connect(self._emit_resized)
        answer.link_clicked.connect(self.link_clicked)
        answer.selected.connect(self.selected)
        return answer

    def _show_item(self) -> None:
        message = self.item.message
        self._backlog.take()  # `item` has these texts
        self._show_model_change()
        self._show_thinking()
        if isinstance(self._body, Bubble):
            self._body.set_text(message.text)
        else:
            self._set_answer(message.text)
        self._show_notice()
        if self._footer is not None:
            self._footer.set_item(self.item)
            is_done = message.state is not MessageState.STREAMING
            self._footer.setVisible(is_done and bool(message.text or self.item.branches > 1))
        self.set_busy(busy=self._is_busy)
        self._update_actions()

    def _show_model_change(self) -> None:
        if self.item.new_model and self._model_change is None:
            self._model_change = ModelChange(self._services.theme, self.item.new_model, self)
            self._model_change.show()

    def _show_thinking(self) -> None:
        message = self.item.message
        if message.thinking:
            thinking = self._get_thinking()
            thinking.set_text(message.thinking)
            is_thinking = message.state is MessageState.STREAMING and not message.text
            thinking.set_time(0.0 if is_thinking else max(message.thinking_s, 0.1))

    def _get_thinking(self) -> Thinking:
        if self._thinking is None:
            self._thinking = Thinking(self._services, self)
            self._thinking.resized.connect(self._emit_resized)
            self._thinking.link_clicked.connect(self.link_clicked)
            self._thinking.selected.connect(self.selected)
            self._thinking.show()
        return self._thinking

    def _set_answer(self, text: str) -> None:
        """Show `text`. If it starts with the current text, only the rest is appended."""
        if not isinstance(self._body, BlockView):
            return
        if self.item.message.state is MessageState.STREAMING and self._text.startswith(text):
            return
        if not text.startswith(self._text):
            self._body.clear()
            self._text = ""
        if text != self._text:
            self._body.append(text[len(self._text) :])
        self._text = text

    def _show_notice(self) -> None:
        message = self.item.message
        if AnswerNotice.is_needed(message) and self._notice is None:
            self._notice = AnswerNotice(self._services.theme, self)
            self._notice.retry_clicked.connect(lambda: self.regenerate_requested.emit(self.item.message.id))
        if self._notice is not None:
            self._notice.setVisible(AnswerNotice.is_needed(message))
            self._notice.show_message(message)

    def _show_streamed(self, streamed: Sequence[StreamedText]) -> None:
        self._add(streamed)
        self.resized.emit(self)

    def _add(self, streamed: Sequence[StreamedText]) -> None:
        for kind, text in streamed:
            if kind == "thinking":
                self._append_thinking(text)
            else:
                self._append_answer(text)

    def _append_thinking(self, text: str) -> None:
        is_first = self._thinking is None
        self._get_thinking().append(text)
        if is_first:
            self._get_thinking().set_open(is_open=self._services.unfolds_thinking)

    def _append_answer(self, text: str) -> None:
        if self._thinking is not None and not self._text:
            self._thinking.set_open(is_open=False)
        self._set_answer(self._text + text)

    def _is_waiting(self) -> bool:
        """Return True while the answer has no text yet."""
        is_streaming = self.item.message.state is MessageState.STREAMING
        return is_streaming and not self._text and self._thinking is None

    def _update_actions(self) -> None:
        if self._footer is not None:
            self._footer.set_lit(is_lit=self._is_last or self._is_under_mouse)

    def _emit_resized(self) -> None:
        self.resized.emit(self)

    def _set_name(self) -> None:
        self.setAccessibleName(
            "Your message" if self.is_from_user else f"Answer from {self.item.message.model}".strip()
        )

    def _estimated_height(self, width: int) -> int:
        em = self._services.theme.font("body").pixelSize()
        text = self.item.message.text
        lines = text.count("\n") + len(text) * em * 0.5 / max(width, 1) + 1
        return round(lines * em * 1.6) + 50
