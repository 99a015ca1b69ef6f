"""The scrolling list of messages, the newest at the end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget
from shiboken6 import delete, isValid

from app.viewmodels.chat.chat import MessageItem
from app.views.kit.theme import Theme
from app.views.transcript.jump_button import JumpButton
from app.views.transcript.links import ask_to_open
from app.views.transcript.message import MessageWidget
from app.views.transcript.message_column import MessageColumn
from app.views.transcript.rich_text import RichText
from app.views.transcript.services import TranscriptServices

WIDEST = 760
"""Width of the column in pixels at 100% text size: about 95 characters per line."""
_NARROWEST, _MARGIN = 200, 28
_FIRST = 12
"""Most messages that are built at once; those off the screen are built in idle slices."""
_BUILD_AHEAD = 400
"""Messages that are built in idle slices; those further up are built when scrolled to."""
_BATCH = 8
"""Messages that are measured together: each time, the screen is painted again."""
_AT_END = 4
"""Pixels from the end that still count as the end."""


class TranscriptView(QScrollArea):
    """Shows MessageItems. It stays at the end while an answer streams, unless the user has scrolled up.

    Messages are built from the end, the visible ones first; the others have an estimated height at first. The visible
    text keeps its place when heights above it change.
    """

    regenerate_requested = Signal(str)
    edit_requested = Signal(str, str)
    branch_requested = Signal(str, int)
    completed = Signal()  # no message is left to build in idle slices

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._services = TranscriptServices(theme, self)
        self._is_following = True
        self._is_arranging = False
        self._is_busy = False
        self._is_filling = False
        self._selection: RichText | None = None
        self._column = MessageColumn(WIDEST, self)
        self.setWidget(self._column)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Conversation")
        self._jump = JumpButton(theme, self)
        self._jump.clicked.connect(self.jump_to_latest)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.changed.connect(self._restyle)
        theme.thin_scroll_bars(self)
        self._apply_palette()

    def show_items(self, items: Sequence[MessageItem]) -> None:
        """Show `items`. Leading ones that are shown already keep their widgets and place."""
        messages = self._column.messages
        same = 0
        while same < min(len(messages), len(items)) and messages[same].item.message.id == items[same].message.id:
            same += 1
        self._is_following = self._is_following or not same
        with self._anchored():
            for message, item in zip(messages[:same], items, strict=False):
                if message.item != item:
                    message.set_item(item)
            self._services.idle.add(_delete(self._column.cut(same)), self)
            for item in items[same:]:
                self._append(item)
        self._mark_last()
        if self._is_following:
            self._go_to_end()
        else:
            self._make_visible_ready()
        self._fill()

    def add_item(self, item: MessageItem) -> None:
        """Append a message. A user's message scrolls to the end."""
        self._is_following = self._is_following or item.message.role == "user"
        with self._anchored():
            self._append(item)
            self._column.make_ready(len(self._column.messages) - 1)
        self._mark_last()

    def change_item(self, item: MessageItem) -> None:
        """Show a new state of a message."""
        message = self._column.message(item.message.id)
        if message is not None:
            message.set_item(item)
            self._column.set_tab_order(self._column.number_of(message))

    def append_text(self, message_id: str, kind: str, text: str) -> None:
        """Append streamed text to a message; `kind` is "answer" or "thinking"."""
        message = self._column.message(message_id)
        if message is not None:
            message.append(kind, text)

    def set_busy(self, busy: bool) -> None:
        """Disable changes while an answer is being written."""
        self._is_busy = busy
        for message in self._column.messages:
            message.set_busy(busy=busy)

    def set_unfolds_thinking(self, *, unfolds: bool) -> None:
        """Set whether thinking unfolds while the model thinks, from now on."""
        self._services.unfolds_thinking = unfolds

    def copy_message(self, message_id: str) -> None:
        """Copy the Markdown of a message."""
        message = self._column.message(message_id)
        if message is not None:
            QGuiApplication.clipboard().setText(message.item.message.text)

    def edit_message(self, message_id: str, text: str | None = None) -> None:
        """Open the editor of a user's message, with its text or with `text`, and scroll to it."""
        message = self._column.message(message_id)
        if message is not None:
            message.edit(text)
            self.ensureWidgetVisible(message)

    def jump_to_latest(self) -> None:
        """Go to the end and stay there."""
        self._is_following = True
        self._go_to_end()

    def finish(self) -> None:
        """Run all idle work now."""
        self._services.finish()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._jump.place()
        self._apply_width()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._apply_width()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Home:
            self.verticalScrollBar().setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.jump_to_latest()
        else:
            super().keyPressEvent(event)

    def _append(self, item: MessageItem) -> None:
        message = MessageWidget(self._services, item, self._column)
        message.regenerate_requested.connect(self.regenerate_requested)
        message.edit_requested.connect(self.edit_requested)
        message.branch_requested.connect(self.branch_requested)
        message.resized.connect(self._remeasure)
        message.link_clicked.connect(lambda address: ask_to_open(self, address))
        message.selected.connect(self._clear_previous_selection)
        message.set_busy(busy=self._is_busy)
        self._column.append(message)

    def _mark_last(self) -> None:
        messages = self._column.messages
        for message in messages[-3:]:
            message.set_last(is_last=message is messages[-1])

    @contextmanager
    def _anchored(self) -> Iterator[None]:
        """Keep the visible text in place while heights change, or the end while following."""
        if self._is_arranging:
            yield
            return
        self._is_arranging = True
        bar = self.verticalScrollBar()
        anchor = self._column.anchor(bar.value(), self.viewport().height())
        yield
        self._column.fit()
        if self._is_following or anchor is None or not self._column.messages:
            bar.setValue(bar.maximum())
        else:
            bar.setValue(self._column.top_at(anchor))
        self._is_arranging = False
        self._show_jump()

    def _apply_width(self) -> None:
        """Arrange everything for the current width: visible messages now, the others in idle slices."""
        available = self.viewport().width()
        text = max(min(self._theme.scaled(WIDEST), available - 2 * _MARGIN), _NARROWEST)
        with self._anchored():
            self._column.set_widths(available, text)
            self._make_visible_ready()
        if self._is_following:
            self._go_to_end()
        self._fill()

    def _remeasure(self, message: MessageWidget) -> None:
        """Measure a message that has changed."""
        number = self._column.number_of(message)
        if number >= 0:
            with self._anchored():
                self._column.measure(number)

    def _go_to_end(self) -> None:
        """Scroll to the end, after building the messages that fill the screen."""
        with self._anchored():
            missing = self.viewport().height()
            for number in reversed(range(max(len(self._column.messages) - _FIRST, 0), len(self._column.messages))):
                if missing <= 0:
                    break
                if not self._column.messages[number].is_ready:
                    self._column.make_ready(number)
                missing -= self._column.height_of(number)

    def _make_visible_ready(self) -> None:
        """Build the visible messages; their heights may make others visible."""
        for _ in range(_FIRST):
            visible = self._column.visible(self.verticalScrollBar().value(), self.viewport().height())
            number = next(self._column.not_ready(visible), None)
            if number is None:
                return
            with self._anchored():
                self._column.make_ready(number)

    def _fill(self) -> None:
        if not self._is_filling:
            self._is_filling = True
            self._services.idle.add(self._fill_slices(), self)

    def _fill_slices(self) -> Iterator[None]:
        while True:
            last = len(self._column.messages)
            numbers = list(islice(self._column.not_ready(range(max(last - _BUILD_AHEAD, 0), last)), _BATCH))
            if not numbers:
                break
            batch = [self._column.messages[number] for number in numbers]
            for message in batch:
                message.make_ready()
                yield
            with self._anchored():
                self._column.measure_all(batch)
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

    def _clear_previous_selection(self, text: RichText) -> None:
        if not text.textCursor().hasSelection() or text is self._selection:
            return
        previous, self._selection = self._selection, text
        if previous is not None and isValid(previous):
            cursor = previous.textCursor()
            cursor.clearSelection()
            previous.setTextCursor(cursor)

    def _restyle(self) -> None:
        self._apply_palette()
        for message in self._column.messages:
            message.is_styled = False
        self._apply_width()

    def _apply_palette(self) -> None:
        for widget in (self, self._column):
            palette = widget.palette()
            palette.setColor(QPalette.ColorRole.Window, self._theme.palette.window)
            widget.setPalette(palette)


def _delete(messages: Sequence[MessageWidget]) -> Iterator[None]:
    """Delete one message per step: deleting a long conversation at once takes a tenth of a second."""
    for message in messages:
        delete(message)
        yield
