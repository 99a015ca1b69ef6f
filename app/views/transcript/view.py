"""The conversation on the screen: messages below each other, the newest at the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget
from shiboken6 import delete, isValid

from app.viewmodels.chat.chat import MessageItem
from app.views.kit.theme import Theme
from app.views.transcript.jump import JumpButton
from app.views.transcript.kit import Kit
from app.views.transcript.links import ask_to_open
from app.views.transcript.message import MessageWidget
from app.views.transcript.page import Page
from app.views.transcript.rich_text import RichText

WIDEST = 760
"""Pixels of the column at 100 % text size: about 95 characters a line."""
_NARROWEST, _MARGIN = 200, 28
_FIRST = 12
"""Messages that are made at once, at most; those that are not on the screen wait for idle slices."""
_MOST_AHEAD = 400
"""Messages that are made in idle slices; those further up wait until they are scrolled to."""
_BATCH = 8
"""Messages whose new heights are taken over together: each time, the screen is painted again."""
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
    completed = Signal()  # no message is left to be made in idle slices

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kit = Kit(theme, self)
        self._is_following = True
        self._is_arranging = False
        self._is_busy = False
        self._is_filling = False
        self._selection: RichText | None = None
        self._page = Page(WIDEST, self)
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
        messages = self._page.messages
        same = 0
        while same < min(len(messages), len(items)) and messages[same].item.message.id == items[same].message.id:
            same += 1
        self._is_following = self._is_following or not same
        with self._anchored():
            for message, item in zip(messages[:same], items, strict=False):
                if message.item != item:
                    message.set_item(item)
            self._kit.idle.add(_delete(self._page.cut(same)), self)
            for item in items[same:]:
                self._append(item)
        self._light_last()
        if self._is_following:
            self._go_to_end()
        else:
            self._make_visible_ready()
        self._fill()

    def add_item(self, item: MessageItem) -> None:
        """Add a message to the end. After one of the reader's own the end is followed again."""
        self._is_following = self._is_following or item.message.role == "user"
        with self._anchored():
            self._append(item)
            self._page.make_ready(len(self._page.messages) - 1)
        self._light_last()

    def change_item(self, item: MessageItem) -> None:
        """Show another state of a message that is there."""
        message = self._page.message(item.message.id)
        if message is not None:
            message.set_item(item)
            self._page.chain(self._page.number_of(message))

    def append_text(self, message_id: str, kind: str, text: str) -> None:
        """Add streamed text to a message; `kind` is "answer" or "thinking"."""
        message = self._page.message(message_id)
        if message is not None:
            message.append(kind, text)

    def set_busy(self, busy: bool) -> None:
        """Let nothing be changed while an answer is being written."""
        self._is_busy = busy
        for message in self._page.messages:
            message.set_busy(busy=busy)

    def unfold_thinking(self, *, is_wanted: bool) -> None:
        """Say whether thinking unfolds by itself while it goes on, from now on."""
        self._kit.unfolds_thinking = is_wanted

    def copy_message(self, message_id: str) -> None:
        """Copy the Markdown of a message."""
        message = self._page.message(message_id)
        if message is not None:
            QGuiApplication.clipboard().setText(message.item.message.text)

    def edit_message(self, message_id: str, text: str | None = None) -> None:
        """Open the editor in a message of one's own, with what was written there before, and bring it into sight."""
        message = self._page.message(message_id)
        if message is not None:
            message.edit(text)
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Home:
            self.verticalScrollBar().setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.jump_to_latest()
        else:
            super().keyPressEvent(event)

    def _append(self, item: MessageItem) -> None:
        message = MessageWidget(self._kit, item, self._page)
        message.regenerate_requested.connect(self.regenerate_requested)
        message.edit_requested.connect(self.edit_requested)
        message.branch_requested.connect(self.branch_requested)
        message.resized.connect(self._remeasure)
        message.link_clicked.connect(lambda address: ask_to_open(self, address))
        message.selected.connect(self._keep_one_selection)
        message.set_busy(busy=self._is_busy)
        self._page.append(message)

    def _light_last(self) -> None:
        messages = self._page.messages
        for message in messages[-3:]:
            message.set_last(is_last=message is messages[-1])

    @contextmanager
    def _anchored(self) -> Iterator[None]:
        """Keep what is on the screen where it is while heights change: the end, or what is read."""
        if self._is_arranging:
            yield
            return
        self._is_arranging = True
        bar = self.verticalScrollBar()
        anchor = self._page.anchor(bar.value(), self.viewport().height())
        yield
        self._page.fit()
        if self._is_following or anchor is None or not self._page.messages:
            bar.setValue(bar.maximum())
        else:
            bar.setValue(self._page.top_at(anchor))
        self._is_arranging = False
        self._show_jump()

    def _take_width(self) -> None:
        """Lay everything out for the width there is: the messages on the screen now, the others by and by."""
        room = self.viewport().width()
        text = max(min(self._theme.scaled(WIDEST), room - 2 * _MARGIN), _NARROWEST)
        with self._anchored():
            self._page.take_width(room, text)
            self._make_visible_ready()
        if self._is_following:
            self._go_to_end()
        self._fill()

    def _remeasure(self, message: MessageWidget) -> None:
        """Give a message that has changed its new height."""
        number = self._page.number_of(message)
        if number >= 0:
            with self._anchored():
                self._page.measure(number)

    def _go_to_end(self) -> None:
        """Make the messages that fill the screen, from the end, and show them."""
        with self._anchored():
            missing = self.viewport().height()
            for number in reversed(range(max(len(self._page.messages) - _FIRST, 0), len(self._page.messages))):
                if missing <= 0:
                    break
                if not self._page.messages[number].is_ready:
                    self._page.make_ready(number)
                missing -= self._page.height_of(number)

    def _make_visible_ready(self) -> None:
        """Make the messages on the screen; their heights may bring others onto it."""
        for _ in range(_FIRST):
            visible = self._page.visible(self.verticalScrollBar().value(), self.viewport().height())
            number = next(self._page.not_ready(visible), None)
            if number is None:
                return
            with self._anchored():
                self._page.make_ready(number)

    def _fill(self) -> None:
        if not self._is_filling:
            self._is_filling = True
            self._kit.idle.add(self._fill_slices(), self)

    def _fill_slices(self) -> Iterator[None]:
        while True:
            last = len(self._page.messages)
            numbers = list(islice(self._page.not_ready(range(max(last - _MOST_AHEAD, 0), last)), _BATCH))
            if not numbers:
                break
            batch = [self._page.messages[number] for number in numbers]
            for message in batch:
                message.make_ready()
                yield
            with self._anchored():
                self._page.measure_all(batch)
            yield
        self._is_filling = False
        self.completed.emit()

    def _scrolled(self) -> None:
        if self._is_arranging:
            return
        bar = self.verticalScrollBar()
        self._is_following = bar.value() >= bar.maximum() - _AT_END
        self._make_visible_ready()
        self._show_jump()

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
        for message in self._page.messages:
            message.is_styled = False
        self._take_width()

    def _dress(self) -> None:
        for widget in (self, self._page):
            palette = widget.palette()
            palette.setColor(QPalette.ColorRole.Window, self._theme.palette.window)
            widget.setPalette(palette)


def _delete(messages: Sequence[MessageWidget]) -> Iterator[None]:
    """Delete messages one per step: all widgets of a long conversation at once would take a tenth of a second."""
    for message in messages:
        delete(message)
        yield
