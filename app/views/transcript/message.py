"""One message: the mark of a new model, the thinking, the text, what there is to say of it, and its footer."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QEnterEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.domain.conversation import MessageState
from app.viewmodels.chat.chat import MessageItem
from app.views.transcript.backlog import Backlog, StreamedText
from app.views.transcript.bubble import Bubble
from app.views.transcript.footer import Footer
from app.views.transcript.kit import Kit
from app.views.transcript.model_mark import ModelMark
from app.views.transcript.notice import Notice
from app.views.transcript.segments import Segments
from app.views.transcript.thinking import Thinking

_GAP = 8

Part = ModelMark | Thinking | Segments | Bubble | Notice | Footer


class MessageWidget(QWidget):
    """Shows a MessageItem. It is only an estimated height until `make_ready` gives it its parts."""

    resized = Signal(object)  # itself
    regenerate_requested = Signal(str)
    edit_requested = Signal(str, str)
    branch_requested = Signal(str, int)
    link_clicked = Signal(str)
    selected = Signal(object)

    def __init__(self, kit: Kit, item: MessageItem, parent: QWidget) -> None:
        super().__init__(parent)
        self._kit = kit
        self.item = item
        self.is_realised = False
        self.is_measured = False
        self.is_styled = True
        self._text = ""
        self._backlog = Backlog(self._show_streamed, self)
        self._mark: ModelMark | None = None
        self._thinking: Thinking | None = None
        self._body: Segments | Bubble | None = None
        self._notice: Notice | None = None
        self._footer: Footer | None = None
        self._is_last = self._is_busy = self._is_under_mouse = False
        self._name()

    @property
    def is_own(self) -> bool:
        """Whether the person wrote it."""
        return self.item.message.role == "user"

    @property
    def is_ready(self) -> bool:
        """Whether it is whole, in the style of the theme, and has the height for its width."""
        return self.is_realised and self.is_styled and self.is_measured

    def tab_stops(self) -> list[QWidget]:
        """Return what the keyboard can reach in it, in the order of reading."""
        parts = self.findChildren(QWidget)
        stops = [part for part in parts if part.focusPolicy() & Qt.FocusPolicy.TabFocus]
        return sorted(stops, key=lambda part: part.mapTo(self, QPoint(0, 0)).toTuple()[::-1])

    def make_ready(self) -> None:
        """Make the parts, or bring them up to date; the height is to be measured then."""
        if not self.is_realised:
            self._realise()
        elif not self.is_styled:
            self._restyle()
        self.is_styled = True

    def _realise(self) -> None:
        self.is_realised = True
        self._body = self._new_bubble() if self.is_own else self._new_answer()
        self._footer = Footer(self._kit.theme, self.item, self)
        self._footer.regenerate_clicked.connect(lambda: self.regenerate_requested.emit(self.item.message.id))
        self._footer.branch_clicked.connect(lambda step: self.branch_requested.emit(self.item.message.id, step))
        self._footer.edit_clicked.connect(self.edit)
        self._body.show()
        self._footer.show()
        streamed = self._backlog.take()
        self._show_item()
        self._add(streamed)

    def set_item(self, item: MessageItem) -> None:
        """Show `item`, which has the same id, in place of what is there."""
        self.item = item
        self._name()
        if self.is_realised:
            self._show_item()
            self.resized.emit(self)

    def append(self, kind: str, text: str) -> None:
        """Add `text` to the answer or the thinking. What comes too fast to be shown is gathered."""
        self._backlog.add(kind, text, may_show=self.is_realised)

    def edit(self, text: str | None = None) -> None:
        """Let the person change the text in its place, or go on with `text`, which they had made of it."""
        if isinstance(self._body, Bubble) and not self._is_busy:
            self._body.edit(text)

    def set_busy(self, *, busy: bool) -> None:
        """Let nothing be changed while an answer is being written."""
        self._is_busy = busy
        for part in (self._footer, self._notice):
            if part is not None:
                part.set_busy(busy=busy)

    def set_last(self, *, is_last: bool) -> None:
        """The last message shows its actions always."""
        self._is_last = is_last
        self._light()

    def _restyle(self) -> None:
        for part, _ in self._parts():
            if not isinstance(part, Footer):
                part.restyle()

    def height_for(self, width: int) -> int:
        """Return the height for `width`, and lay the parts out."""
        if not self.is_realised:
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
            top = max(top, self._kit.theme.scaled(24))
        return top + (0 if self.is_own else _GAP)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._is_under_mouse = True
        self._light()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._is_under_mouse = False
        self._light()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._is_waiting():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._kit.theme.palette.tertiary)
            y = self._body.y() + 10 if self._body is not None else 10
            for dot in range(3):
                painter.drawEllipse(QPoint(5 + 12 * dot, y), 3, 3)

    def _parts(self) -> Iterator[tuple[Part, int]]:
        """Yield the parts from the top, each with the space above it."""
        for part, gap in (
            (self._mark, 0),
            (self._thinking, 2 * _GAP if self._mark else 0),
            (self._body, 2 * _GAP if self._mark and not self._thinking else _GAP if self._thinking else 0),
            (self._notice, 2 * _GAP),
            (self._footer, 2 if self.is_own else _GAP),
        ):
            if part is not None:
                yield part, gap

    def _new_bubble(self) -> Bubble:
        bubble = Bubble(self._kit, self)
        bubble.resized.connect(self._tell)
        bubble.link_clicked.connect(self.link_clicked)
        bubble.selected.connect(self.selected)
        bubble.edited.connect(lambda text: self.edit_requested.emit(self.item.message.id, text))
        bubble.editing_ended.connect(self._return_focus)
        return bubble

    def _return_focus(self) -> None:
        if self._footer is not None:
            self._footer.focus_change_button()

    def _new_answer(self) -> Segments:
        answer = Segments(self._kit, self._kit.markdown, self, name="Answer")
        answer.reflowed.connect(self._tell)
        answer.link_clicked.connect(self.link_clicked)
        answer.selected.connect(self.selected)
        return answer

    def _show_item(self) -> None:
        message = self.item.message
        self._backlog.take()  # `item` has it
        self._show_mark()
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
        self._light()

    def _show_mark(self) -> None:
        if self.item.model_mark and self._mark is None:
            self._mark = ModelMark(self._kit.theme, self.item.model_mark, self)
            self._mark.show()

    def _show_thinking(self) -> None:
        message = self.item.message
        if message.thinking:
            thinking = self._the_thinking()
            thinking.set_text(message.thinking)
            is_thinking = message.state is MessageState.STREAMING and not message.text
            thinking.set_time(0.0 if is_thinking else max(message.thinking_s, 0.1))

    def _the_thinking(self) -> Thinking:
        if self._thinking is None:
            self._thinking = Thinking(self._kit, self)
            self._thinking.resized.connect(self._tell)
            self._thinking.link_clicked.connect(self.link_clicked)
            self._thinking.selected.connect(self.selected)
            self._thinking.show()
        return self._thinking

    def _set_answer(self, text: str) -> None:
        """Show `text`; where it begins like what is there, only the rest is added."""
        if not isinstance(self._body, Segments):
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
        if Notice.is_needed(message) and self._notice is None:
            self._notice = Notice(self._kit.theme, self)
            self._notice.retry_clicked.connect(lambda: self.regenerate_requested.emit(self.item.message.id))
        if self._notice is not None:
            self._notice.setVisible(Notice.is_needed(message))
            self._notice.show_message(message)

    def _show_streamed(self, streamed: Sequence[StreamedText]) -> None:
        self._add(streamed)
        self.resized.emit(self)

    def _add(self, streamed: Sequence[StreamedText]) -> None:
        for kind, text in streamed:
            if kind == "thinking":
                self._think(text)
            else:
                self._answer(text)

    def _think(self, text: str) -> None:
        is_first = self._thinking is None
        self._the_thinking().append(text)
        if is_first:
            self._the_thinking().set_open(is_open=self._kit.unfolds_thinking)

    def _answer(self, text: str) -> None:
        if self._thinking is not None and not self._text:
            self._thinking.set_open(is_open=False)
        self._set_answer(self._text + text)

    def _is_waiting(self) -> bool:
        """Tell whether the answer has not begun."""
        is_streaming = self.item.message.state is MessageState.STREAMING
        return is_streaming and not self._text and self._thinking is None

    def _light(self) -> None:
        if self._footer is not None:
            self._footer.set_lit(is_lit=self._is_last or self._is_under_mouse)

    def _tell(self) -> None:
        self.resized.emit(self)

    def _name(self) -> None:
        self.setAccessibleName("Your message" if self.is_own else f"Answer of {self.item.message.model}".strip())

    def _estimated_height(self, width: int) -> int:
        em = self._kit.theme.font("body").pixelSize()
        text = self.item.message.text
        lines = text.count("\n") + len(text) * em * 0.5 / max(width, 1) + 1
        return round(lines * em * 1.6) + 50
