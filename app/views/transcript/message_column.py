"""The column of messages: positions and heights. Knows nothing about scrolling except a position."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.views.transcript.message import MessageWidget
from app.views.transcript.row_offsets import RowOffsets

_TOP, _BOTTOM, _GAP = 28, 20, 12


@dataclass(frozen=True, slots=True)
class ScrollAnchor:
    """A message that keeps its place on the screen. `offset` and `share` locate the top edge of the screen: in pixels
    below the top of the message (negative if it starts on the screen), and as a fraction of its height.
    """

    number: int
    offset: int
    share: float


class MessageColumn(QWidget):
    """Holds MessageWidgets, centered, `text_width` pixels wide. The tab order starts at `first_stop`."""

    def __init__(self, text_width: int, first_stop: QWidget) -> None:
        super().__init__()
        self._first_stop = first_stop
        self.messages: list[MessageWidget] = []
        self.text_width = text_width
        self._offsets = RowOffsets(_GAP)
        self.setAutoFillBackground(True)

    def append(self, message: MessageWidget) -> None:
        self.messages.append(message)
        self._offsets.append(message.height_for(self.text_width))
        self._place(len(self.messages) - 1)
        message.show()

    def cut(self, length: int) -> list[MessageWidget]:
        """Hide and return the messages from index `length` on; the caller deletes them."""
        removed = self.messages[length:]
        for message in removed:
            message.hide()
        del self.messages[length:]
        self._offsets.cut(length)
        return removed

    def number_of(self, message: MessageWidget) -> int:
        """Return the index of `message`, or -1; the search starts at the end."""
        return next((n for n in reversed(range(len(self.messages))) if self.messages[n] is message), -1)

    def message(self, id: str) -> MessageWidget | None:
        return next((message for message in reversed(self.messages) if message.item.message.id == id), None)

    def set_widths(self, page: int, text: int) -> None:
        """Resize to `page` pixels, with messages of `text` pixels, which need to be measured again."""
        if text != self.text_width:
            self.text_width = text
            for message in self.messages:
                message.is_measured = False
        self.resize(page, self.height())
        for number in range(len(self.messages)):
            self._place(number)

    def fit(self) -> None:
        """Adjust the height to the messages."""
        self.resize(self.width(), self._offsets.total() + _TOP + _BOTTOM)

    def make_ready(self, number: int) -> None:
        """Build a message completely, and measure it."""
        self.messages[number].make_ready()
        self.measure(number)
        self.set_tab_order(number)

    def set_tab_order(self, number: int) -> None:
        """Insert the tab stops of a message after those of the messages above."""
        earlier = (self.messages[n].tab_stops() for n in reversed(range(number)) if self.messages[n].is_ready)
        previous = next((stops[-1] for stops in earlier if stops), self._first_stop)
        for stop in self.messages[number].tab_stops():
            QWidget.setTabOrder(previous, stop)
            previous = stop

    def measure(self, number: int) -> None:
        """Measure a message and move the ones below it."""
        has_changed = self._measure(number)
        for moved in range(number, len(self.messages) if has_changed else number + 1):
            self._place(moved)

    def measure_all(self, messages: Iterable[MessageWidget]) -> None:
        """Measure those of `messages` that are still here, and place all messages once."""
        numbers = sorted(number for number in map(self.number_of, messages) if number >= 0)
        for number in numbers:
            self._measure(number)
        for number in numbers:
            self.set_tab_order(number)
        for number in range(len(self.messages)):
            self._place(number)

    def height_of(self, number: int) -> int:
        return self._offsets.height(number)

    def visible(self, top: int, height: int) -> range:
        """Return the indexes of the messages on a screen of `height` pixels with its top edge at `top`."""
        last = self._offsets.at(top - _TOP + height)
        return range(self._offsets.at(top - _TOP), min(last + 1, len(self.messages)))

    def not_ready(self, numbers: range) -> Iterator[int]:
        """Yield those of `numbers` that are not ready, from the last."""
        return (number for number in reversed(numbers) if not self.messages[number].is_ready)

    def anchor(self, top: int, height: int) -> ScrollAnchor | None:
        """Return the first ready message that starts on the screen, or the message at the top edge."""
        visible = self.visible(top, height)
        if not visible:
            return None
        starts = (n for n in visible if self.messages[n].is_ready and self._offsets.top(n) >= top - _TOP)
        number = next(starts, visible.start)
        offset = top - _TOP - self._offsets.top(number)
        return ScrollAnchor(number, offset, offset / max(self._offsets.height(number), 1))

    def top_at(self, anchor: ScrollAnchor) -> int:
        """Return the scroll position that puts `anchor` where it was."""
        number = min(anchor.number, len(self.messages) - 1)
        inside = round(anchor.share * self._offsets.height(number)) if anchor.offset > 0 else anchor.offset
        return self._offsets.top(number) + _TOP + inside

    def _measure(self, number: int) -> bool:
        """Measure a message, and return True if its height changed."""
        message = self.messages[number]
        height = message.height_for(self.text_width)
        message.is_measured = True
        has_changed = height != self._offsets.height(number)
        self._offsets.set_height(number, height)
        return has_changed

    def _place(self, number: int) -> None:
        x = (self.width() - self.text_width) // 2
        top = self._offsets.top(number) + _TOP
        self.messages[number].setGeometry(x, top, self.text_width, self._offsets.height(number))
