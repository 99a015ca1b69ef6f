"""Distinct colors for candidates, from the closest to the farthest, and their legend."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.measure.charts.scene import DiscItem, Ink, Item, Point, TextItem
from mlx_engine.measure.charts.style import Style

# All of medium lightness, so that they are visible on white and on black.
_ramp = ((112, 84, 214), (36, 123, 224), (22, 160, 150), (88, 166, 66), (214, 152, 20), (226, 108, 40), (206, 62, 74))
_GAP, _MARK, _LONGEST = 16.0, 4.0, 240.0
_MOST = 14
"""Largest number of colors that remain distinguishable."""


def colors(count: int) -> list[Ink]:
    """Return `count` colors from violet over green to red."""
    return [_between((len(_ramp) - 1) * (position / (count - 1) if count > 1 else 1 / 6)) for position in range(count)]


def _between(position: float) -> Ink:
    first = min(int(position), len(_ramp) - 2)
    share = position - first
    channels = (round(a + (b - a) * share) for a, b in zip(_ramp[first], _ramp[first + 1], strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def legend_lines(count: int) -> int:
    """Return the number of lines of a legend of `count` names with at least two in each line."""
    return 1 if count > _MOST else (count + 1) // 2


@dataclass(frozen=True, slots=True)
class SeriesLegend:
    """Names with their colors, in as many lines as needed within `width`.

    If there are too many to distinguish, only the first and the last are named.
    """

    names: Sequence[str]
    width: float
    style: Style

    @property
    def height(self) -> float:
        return (1 + max((line for line, _ in self._places()), default=-1)) * self.style.line

    def items(self) -> Iterator[Item]:
        style, mark = self.style, self.style.scaled(_MARK)
        for (name, ink), (line, left) in zip(self._entries, self._places(), strict=True):
            base = line * style.line + style.size
            yield DiscItem(Point(left + mark, base - style.size * 0.36), mark, ink, ink, 0.0)
            yield TextItem(Point(left + 3 * mark, base), name, style.size, "secondary")

    @property
    def _entries(self) -> list[tuple[str, Ink]]:
        """The visible names, shortened, and their colors."""
        entries = list(zip(self.names, colors(len(self.names)), strict=True))
        if len(entries) > _MOST:
            (first, ink), (last, other) = entries[0], entries[-1]
            entries = [(f"closest: {first}", ink), (f"farthest of {len(self.names)}: {last}", other)]
        available = min(self.width - 3 * self.style.scaled(_MARK), self.style.scaled(_LONGEST))
        return [(self.style.elided(name, available), ink) for name, ink in entries]

    def _places(self) -> list[tuple[int, float]]:
        """Return the line and the left side of each name."""
        positions, line, left = [], 0, 0.0
        for name, _ in self._entries:
            needed = self.style.width(name) + 3 * self.style.scaled(_MARK)
            if left and left + needed > self.width:
                line, left = line + 1, 0.0
            positions.append((line, left))
            left += needed + self.style.scaled(_GAP)
        return positions
