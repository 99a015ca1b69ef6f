"""Colours that tell several candidates apart, from the closest to the farthest, and the legend that names them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.measure.charts.scene import Disc, Ink, Item, Point, Words
from mlx_engine.measure.charts.style import Style

# All of middling lightness, so that they are seen on white and on black.
_ramp = ((112, 84, 214), (36, 123, 224), (22, 160, 150), (88, 166, 66), (214, 152, 20), (226, 108, 40), (206, 62, 74))
_GAP, _MARK, _LONGEST = 16.0, 4.0, 240.0
_MOST = 14
"""So many colours can be told apart, if need be."""


def colours(count: int) -> list[Ink]:
    """Return `count` colours from violet over green to red."""
    return [_between((len(_ramp) - 1) * (place / (count - 1) if count > 1 else 1 / 6)) for place in range(count)]


def _between(place: float) -> Ink:
    first = min(int(place), len(_ramp) - 2)
    share = place - first
    channels = (round(a + (b - a) * share) for a, b in zip(_ramp[first], _ramp[first + 1], strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def legend_lines(count: int) -> int:
    """Return how many lines a legend of so many names takes where at least two stand side by side."""
    return 1 if count > _MOST else (count + 1) // 2


@dataclass(frozen=True, slots=True)
class Legend:
    """Names with their colours, in as many lines as they need in `width`.

    Of many, whose colours could not be told apart, only the first and the last are named.
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
            yield Disc(Point(left + mark, base - style.size * 0.36), mark, ink, ink, 0.0)
            yield Words(Point(left + 3 * mark, base), name, style.size, "secondary")

    @property
    def _entries(self) -> list[tuple[str, Ink]]:
        """The names that are shown, short, and their colours."""
        entries = list(zip(self.names, colours(len(self.names)), strict=True))
        if len(entries) > _MOST:
            (first, ink), (last, other) = entries[0], entries[-1]
            entries = [(f"closest: {first}", ink), (f"farthest of {len(self.names)}: {last}", other)]
        room = min(self.width - 3 * self.style.scaled(_MARK), self.style.scaled(_LONGEST))
        return [(self.style.elided(name, room), ink) for name, ink in entries]

    def _places(self) -> list[tuple[int, float]]:
        """Return the line and the left side of each name."""
        places, line, left = [], 0, 0.0
        for name, _ in self._entries:
            needed = self.style.width(name) + 3 * self.style.scaled(_MARK)
            if left and left + needed > self.width:
                line, left = line + 1, 0.0
            places.append((line, left))
            left += needed + self.style.scaled(_GAP)
        return places
