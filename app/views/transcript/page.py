"""The page that messages stand on: their places and heights. Knows nothing of scrolling but a position."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.views.transcript.column import Column
from app.views.transcript.message import MessageWidget

_TOP, _BOTTOM, _GAP = 28, 20, 12


@dataclass(frozen=True, slots=True)
class Anchor:
    """What is to stay where it is: a message, and where the screen's upper edge is in it, in pixels from its top
    (negative where the message begins on the screen) and as share of its height.
    """

    number: int
    offset: int
    share: float


class Page(QWidget):
    """Holds MessageWidgets, `width_of_text` wide, in the middle of itself. The keyboard comes from `first_stop`."""

    def __init__(self, width_of_text: int, first_stop: QWidget) -> None:
        super().__init__()
        self._first_stop = first_stop
        self.messages: list[MessageWidget] = []
        self.width_of_text = width_of_text
        self._column = Column(_GAP)
        self.setAutoFillBackground(True)

    def append(self, message: MessageWidget) -> None:
        self.messages.append(message)
        self._column.append(message.height_for(self.width_of_text))
        self._place(len(self.messages) - 1)
        message.show()

    def cut(self, length: int) -> list[MessageWidget]:
        """Hide the messages from number `length` on, and return them; the caller deletes them."""
        removed = self.messages[length:]
        for message in removed:
            message.hide()
        del self.messages[length:]
        self._column.cut(length)
        return removed

    def number_of(self, message: MessageWidget) -> int:
        """Return the number of `message`, or -1; the last are found first."""
        return next((n for n in reversed(range(len(self.messages))) if self.messages[n] is message), -1)

    def message(self, id: str) -> MessageWidget | None:
        return next((message for message in reversed(self.messages) if message.item.message.id == id), None)

    def take_width(self, page: int, text: int) -> None:
        """Become `page` pixels wide, with messages `text` pixels wide; their heights are to be measured again."""
        if text != self.width_of_text:
            self.width_of_text = text
            for message in self.messages:
                message.is_measured = False
        self.resize(page, self.height())
        for number in range(len(self.messages)):
            self._place(number)

    def fit(self) -> None:
        """Become as high as the messages need."""
        self.resize(self.width(), self._column.total() + _TOP + _BOTTOM)

    def make_ready(self, number: int) -> None:
        """Make a message whole, and measure it."""
        self.messages[number].make_ready()
        self.measure(number)
        self.chain(number)

    def chain(self, number: int) -> None:
        """Put what a message has for the keyboard between what is above and what is below, wherever it was made."""
        earlier = (self.messages[n].tab_stops() for n in reversed(range(number)) if self.messages[n].is_ready)
        former = next((stops[-1] for stops in earlier if stops), self._first_stop)
        for stop in self.messages[number].tab_stops():
            QWidget.setTabOrder(former, stop)
            former = stop

    def measure(self, number: int) -> None:
        """Give a message the height that it needs now; those below it move."""
        has_changed = self._measure(number)
        for moved in range(number, len(self.messages) if has_changed else number + 1):
            self._place(moved)

    def measure_all(self, messages: Iterable[MessageWidget]) -> None:
        """Measure those of `messages` that are still here, and place all once."""
        numbers = sorted(number for number in map(self.number_of, messages) if number >= 0)
        for number in numbers:
            self._measure(number)
        for number in numbers:
            self.chain(number)
        for number in range(len(self.messages)):
            self._place(number)

    def height_of(self, number: int) -> int:
        return self._column.height(number)

    def visible(self, top: int, height: int) -> range:
        """Return the numbers of the messages on a screen `height` pixels high, whose upper edge is at `top`."""
        last = self._column.at(top - _TOP + height)
        return range(self._column.at(top - _TOP), min(last + 1, len(self.messages)))

    def not_ready(self, numbers: range) -> Iterator[int]:
        """Yield which of `numbers` are not whole, from the last."""
        return (number for number in reversed(numbers) if not self.messages[number].is_ready)

    def anchor(self, top: int, height: int) -> Anchor | None:
        """Return what a reader looks at: the first message that begins on the screen and is whole, or else whatever is
        at the upper edge.
        """
        visible = self.visible(top, height)
        if not visible:
            return None
        begins = (n for n in visible if self.messages[n].is_ready and self._column.top(n) >= top - _TOP)
        number = next(begins, visible.start)
        offset = top - _TOP - self._column.top(number)
        return Anchor(number, offset, offset / max(self._column.height(number), 1))

    def top_at(self, anchor: Anchor) -> int:
        """Return where the upper edge of the screen belongs, so that `anchor` is where it was."""
        number = min(anchor.number, len(self.messages) - 1)
        inside = round(anchor.share * self._column.height(number)) if anchor.offset > 0 else anchor.offset
        return self._column.top(number) + _TOP + inside

    def _measure(self, number: int) -> bool:
        """Return whether the message needs another height than it had."""
        message = self.messages[number]
        height = message.height_for(self.width_of_text)
        message.is_measured = True
        has_changed = height != self._column.height(number)
        self._column.set_height(number, height)
        return has_changed

    def _place(self, number: int) -> None:
        left = (self.width() - self.width_of_text) // 2
        top = self._column.top(number) + _TOP
        self.messages[number].setGeometry(left, top, self.width_of_text, self._column.height(number))
