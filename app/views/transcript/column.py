"""Where the messages stand: heights and tops of things below each other. Arithmetic only; knows no Qt."""

from bisect import bisect_right


class Column:
    """Heights of items with a gap between them. A new height of the last item costs nothing."""

    def __init__(self, gap: int) -> None:
        self._gap = gap
        self._heights: list[int] = []
        self._tops: list[int] = []

    def __len__(self) -> int:
        return len(self._heights)

    def append(self, height: int) -> None:
        self._tops.append(self._end())
        self._heights.append(height)

    def cut(self, length: int) -> None:
        """Forget the items from number `length` on."""
        del self._heights[length:], self._tops[length:]

    def set_height(self, number: int, height: int) -> None:
        """Give an item another height; those below it move."""
        change = height - self._heights[number]
        self._heights[number] = height
        for below in range(number + 1, len(self._tops)):
            self._tops[below] += change

    def top(self, number: int) -> int:
        return self._tops[number]

    def height(self, number: int) -> int:
        return self._heights[number]

    def total(self) -> int:
        """Return the height of all, with the gaps between them."""
        return max(self._end() - self._gap, 0)

    def at(self, y: int) -> int:
        """Return the number of the item at `y`, or in the gap below it; the first or the last outside."""
        return max(bisect_right(self._tops, y) - 1, 0)

    def _end(self) -> int:
        return self._tops[-1] + self._heights[-1] + self._gap if self._heights else 0
