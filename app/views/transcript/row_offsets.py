"""Heights and tops of rows below each other. Arithmetic only; imports no Qt."""

from bisect import bisect_right


class RowOffsets:
    """Rows with a gap between them. Changing the height of the last row is O(1)."""

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
        """Remove the rows from index `length` on."""
        del self._heights[length:], self._tops[length:]

    def set_height(self, number: int, height: int) -> None:
        """Change the height of a row and move the rows below it."""
        change = height - self._heights[number]
        self._heights[number] = height
        for below in range(number + 1, len(self._tops)):
            self._tops[below] += change

    def top(self, number: int) -> int:
        return self._tops[number]

    def height(self, number: int) -> int:
        return self._heights[number]

    def total(self) -> int:
        """Return the total height, with gaps."""
        return max(self._end() - self._gap, 0)

    def at(self, y: int) -> int:
        """Return the index of the row at `y` or directly above it; outside, the first or the last row."""
        return max(bisect_right(self._tops, y) - 1, 0)

    def _end(self) -> int:
        return self._tops[-1] + self._heights[-1] + self._gap if self._heights else 0
