"""The conversation on the screen: messages below each other, the newest at the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget
from shiboken6 import isValid

from app.viewmodels.chat import MessageItem
from app.views.theme import Theme
from app.views.transcript.column import Column
from app.views.transcript.jump import JumpButton
from app.views.transcript.kit import Kit
from app.views.transcript.links import ask_to_open
from app.views.transcript.message import MessageWidget
from app.views.transcript.rich_text import RichText

WIDEST = 760
"""Pixels of the column at 100 % text size: about 95 characters a line."""
_MARGIN = 28
_TOP, _BOTTOM, _GAP = 28, 20, 12
_FIRST = 12
"""Messages that are made at once when a conversation is opened, if they are on the screen."""
_MOST_AHEAD = 400
"""Messages that are made in idle slices; those further up wait until they are scrolled to."""
_AT_END = 4
"""Pixels from the end that still count as the end."""


class TranscriptView(QScrollArea):
    """Shows MessageItems. It stays at the end while an answer streams, unless the reader has scrolled up.

    Only messages near the screen are whole; the others are a height, an estimated one at first. Whatever changes above
    the screen, what is read stays where it is.
    """

    regenerate_requested = Signal(str)
    edit_requested = Signal(str, str)
    branch_requested = Signal(str, int)
    completed = Signal()  # no message is left to be made

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kit = Kit(theme, self)
        self._messages: list[MessageWidget] = []
        self._column = Column(_GAP)
        self._width = WIDEST
        self._is_following = True
        self._is_arranging = False
        self._is_busy = False
        self._is_filling = False
        self._selection: RichText | None = None
        self._page = QWidget()
        self._page.setAutoFillBackground(True)
        self.setWidget(self._page)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Conversation")
        self._jump = JumpButton(theme, self)
        self._jump.clicked.connect(self.jump_to_latest)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.changed.connect(self._restyle)
        theme.thin_scroll_bars(self)
        self._dress()

    def show_items(self, items: Sequence[MessageItem]) -> None:
        """Show `items`. Those at the beginning that are there already keep their place on the screen."""
        same = self._same_messages(items)
        if not same:
            self._is_following = True
        with self._anchored():
            for message, item in zip(self._messages, items[:same], strict=False):
                if message.item != item:
                    message.set_item(item)
            self._cut(same)
            for item in items[same:]:
                self._append(item)
        self._light_last()
        self._make_first()
        self._fill()

    def add_item(self, item: MessageItem) -> None:
        """Add a message to the end. After one of the reader's own the end is followed again."""
        self._is_following = self._is_following or item.message.role == "user"
        with self._anchored():
            self._append(item)
            self._make_ready(len(self._messages) - 1)
        self._light_last()

    def change_item(self, item: MessageItem) -> None:
        """Show another state of a message that is there."""
        message = self._message(item.message.id)
        if message is not None:
            message.set_item(item)

    def append_text(self, message_id: str, kind: str, text: str) -> None:
        """Add streamed text to a message; `kind` is "answer" or "thinking"."""
        message = self._message(message_id)
        if message is not None:
            message.append(kind, text)

    def set_busy(self, busy: bool) -> None:
        """Let nothing be changed while an answer is being written."""
        self._is_busy = busy
        for message in self._messages:
            message.set_busy(busy=busy)

    def copy_message(self, message_id: str) -> None:
        """Copy the Markdown of a message."""
        message = self._message(message_id)
        if message is not None:
            QGuiApplication.clipboard().setText(message.item.message.text)

    def edit_message(self, message_id: str) -> None:
        """Open the editor in a message of one's own, and bring it into sight."""
        message = self._message(message_id)
        if message is not None:
            message.edit()
            self.ensureWidgetVisible(message)

    def jump_to_latest(self) -> None:
        """Go to the end and stay there."""
        self._is_following = True
        self._go_to_end()

    def finish(self) -> None:
        """Do now what would be done in idle slices."""
        self._kit.finish()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._jump.place()
        self._take_width()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._take_width()
        if self._is_following:
            self._go_to_end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.jump_to_latest()
        else:
            super().keyPressEvent(event)

    def _same_messages(self, items: Sequence[MessageItem]) -> int:
        """Return how many messages at the beginning are those of `items`."""
        same = 0
        for message, item in zip(self._messages, items, strict=False):
            if message.item.message.id != item.message.id:
                break
            same += 1
        return same

    def _cut(self, length: int) -> None:
        for message in self._messages[length:]:
            message.hide()
            message.deleteLater()
        del self._messages[length:]
        self._column.cut(length)

    def _append(self, item: MessageItem) -> None:
        message = MessageWidget(self._kit, item, self._page)
        message.regenerate_requested.connect(self.regenerate_requested)
        message.edit_requested.connect(self.edit_requested)
        message.branch_requested.connect(self.branch_requested)
        message.resized.connect(self._remeasure)
        message.link_clicked.connect(lambda address: ask_to_open(self, address))
        message.selected.connect(self._keep_one_selection)
        message.set_busy(busy=self._is_busy)
        self._messages.append(message)
        self._column.append(message.height_for(self._width))
        self._place(len(self._messages) - 1)
        message.show()

    def _message(self, id: str) -> MessageWidget | None:
        return next((message for message in reversed(self._messages) if message.item.message.id == id), None)

    def _light_last(self) -> None:
        for message in self._messages[-3:]:
            message.set_last(is_last=message is self._messages[-1])

    # Heights and places

    @contextmanager
    def _anchored(self) -> Iterator[None]:
        """Keep what is on the screen where it is while heights change: the end, or the first message seen whole."""
        if self._is_arranging:
            yield
            return
        self._is_arranging = True
        bar = self.verticalScrollBar()
        number, offset, share = self._anchor()
        yield
        self._page.resize(self.viewport().width(), self._column.total() + _TOP + _BOTTOM)
        if self._is_following:
            bar.setValue(bar.maximum())
        elif number < len(self._messages):
            inside = round(share * self._column.height(number)) if share > 0 else offset
            bar.setValue(self._column.top(number) + inside)
        self._is_arranging = False
        self._show_jump()

    def _anchor(self) -> tuple[int, int, float]:
        """Return a message on the screen, how far the screen's top is below its top, and that as share of its height;
        the share is 0 where the message begins on the screen.
        """
        value = self.verticalScrollBar().value()
        visible = self._visible()
        number = next((n for n in visible if self._messages[n].is_ready and self._column.top(n) >= value - _TOP), None)
        if number is None:
            number = visible.start
        if number >= len(self._messages):
            return number, 0, 0.0
        offset = value - self._column.top(number)
        return number, offset, max(offset - _TOP, 0) and offset / max(self._column.height(number), 1)

    def _visible(self) -> range:
        """Return the numbers of the messages on the screen."""
        top = self.verticalScrollBar().value() - _TOP
        last = self._column.at(top + self.viewport().height())
        return range(self._column.at(top), min(last + 1, len(self._messages)))

    def _take_width(self) -> None:
        """Lay everything out for the width there is: the messages on the screen now, the others by and by."""
        room = self.viewport().width() - 2 * _MARGIN
        width = max(min(self._theme.scaled(WIDEST), room), 200)
        with self._anchored():
            if width != self._width:
                self._width = width
                for message in self._messages:
                    message.is_measured = False
            for number in range(len(self._messages)):
                self._place(number)
            self._make_visible_ready()
        self._fill()

    def _place(self, number: int) -> None:
        left = (self.viewport().width() - self._width) // 2
        top = self._column.top(number) + _TOP
        self._messages[number].setGeometry(left, top, self._width, self._column.height(number))

    def _remeasure(self, message: MessageWidget) -> None:
        """Give a message that has changed its new height."""
        number = len(self._messages) - 1
        while number >= 0 and self._messages[number] is not message:
            number -= 1
        if number >= 0:
            with self._anchored():
                self._measure(number)

    def _measure(self, number: int) -> None:
        message = self._messages[number]
        height = message.height_for(self._width)
        message.is_measured = True
        if height == self._column.height(number):
            self._place(number)
            return
        self._column.set_height(number, height)
        for moved in range(number, len(self._messages)):
            self._place(moved)

    # Making messages whole

    def _make_ready(self, number: int) -> None:
        self._messages[number].make_ready()
        self._measure(number)

    def _make_first(self) -> None:
        """Make the messages that fill the screen, from the end."""
        with self._anchored():
            height = 0
            for number in reversed(range(max(len(self._messages) - _FIRST, 0), len(self._messages))):
                if height > self.viewport().height():
                    break
                if not self._messages[number].is_ready:
                    self._make_ready(number)
                height += self._column.height(number)

    def _make_visible_ready(self) -> None:
        for _ in range(_FIRST):
            number = next((n for n in self._visible() if not self._messages[n].is_ready), None)
            if number is None:
                return
            with self._anchored():
                self._make_ready(number)

    def _fill(self) -> None:
        if not self._is_filling:
            self._is_filling = True
            self._kit.idle.add(self._fill_slices())

    def _fill_slices(self) -> Iterator[None]:
        while (number := self._next_to_make()) is not None:
            with self._anchored():
                self._make_ready(number)
            yield
        self._is_filling = False
        self.completed.emit()

    def _next_to_make(self) -> int | None:
        last = len(self._messages)
        return next(
            (n for n in reversed(range(max(last - _MOST_AHEAD, 0), last)) if not self._messages[n].is_ready), None
        )

    # Following the end, and what else follows the reader

    def _scrolled(self) -> None:
        if self._is_arranging:
            return
        bar = self.verticalScrollBar()
        self._is_following = bar.value() >= bar.maximum() - _AT_END
        self._make_visible_ready()
        self._show_jump()

    def _go_to_end(self) -> None:
        with self._anchored():
            self._make_first()

    def _show_jump(self) -> None:
        bar = self.verticalScrollBar()
        is_away = not self._is_following and bar.maximum() - bar.value() > self.viewport().height() // 4
        if is_away != self._jump.isVisible():
            self._jump.setVisible(is_away)
            self._jump.place()
            self._jump.raise_()

    def _keep_one_selection(self, text: RichText) -> None:
        if not text.textCursor().hasSelection() or text is self._selection:
            return
        former, self._selection = self._selection, text
        if former is not None and isValid(former):
            cursor = former.textCursor()
            cursor.clearSelection()
            former.setTextCursor(cursor)

    def _restyle(self) -> None:
        self._dress()
        for message in self._messages:
            message.is_styled = False
        self._take_width()

    def _dress(self) -> None:
        for widget in (self, self._page):
            palette = widget.palette()
            palette.setColor(QPalette.ColorRole.Window, self._theme.palette.window)
            widget.setPalette(palette)
