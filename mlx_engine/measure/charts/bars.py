"""One figure of all candidates, the best first, with the original's as a line across."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.measure.charts.axes import widest
from mlx_engine.measure.charts.captions import caption, subject
from mlx_engine.measure.charts.chart import blank
from mlx_engine.measure.charts.quantities import Estimate, Quantity, samples
from mlx_engine.measure.charts.scene import Area, Box, Item, Line, Point, Scene, Target, Words
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.charts.units import figure, in_words, shown, title
from mlx_engine.measure.study import Study

_GAP = 8.0
_LOWEST, _HIGHEST = 1.5, 2.6
"""Of a row, in lines of text."""
_NAMES = 0.4
"""The largest share of the width that names take."""


@dataclass(frozen=True, slots=True)
class Bar:
    key: str
    label: str
    name: str
    found: Estimate


@dataclass(frozen=True, slots=True)
class Bars:
    """What is drawn; `reference` is the original's figure."""

    title: str
    caption: str
    quantity: Quantity
    bars: tuple[Bar, ...]
    reference: Estimate | None

    @property
    def description(self) -> str:
        of_original = f" The original: {in_words(self.quantity, self.reference)}." if self.reference else ""
        return f"{self.title}. " + " ".join(f"{self.words(bar)}." for bar in self.bars) + of_original

    def words(self, bar: Bar) -> str:
        return f"{bar.name}: {in_words(self.quantity, bar.found)}"

    def least_height(self, style: Style) -> float:
        return _around(style) + max(len(self.bars), 3) * style.line * _LOWEST

    def draw(self, width: float, height: float, style: Style) -> Scene:
        if not self.bars:
            return blank(f"No {self.quantity.in_sentence} has been measured yet.", width, height, style)
        return _Drawing(self, style, width, height).scene()


def bars(study: Study, quantity: Quantity) -> Bars:
    """Return the chart of what was measured so far."""
    found = [(sample, quantity.of(sample)) for sample in samples(study)]
    made = [
        Bar(sample.key, sample.row.label, sample.name, figure)
        for sample, figure in found
        if figure and not sample.is_reference and (quantity.is_fidelity or sample.cache_bits == 16)
    ]
    return Bars(
        title=f"{subject(study)}: {quantity.in_sentence}",
        caption=caption(study, (quantity,)),
        quantity=quantity,
        bars=tuple(sorted(made, key=lambda bar: bar.found.value, reverse=not quantity.less_is_better)),
        reference=next((figure for sample, figure in found if sample.is_reference), None),
    )


def _head(style: Style) -> float:
    return style.line + style.scaled(_GAP)


def _around(style: Style) -> float:
    """Return the height of what is above and below the bars."""
    return _head(style) + style.line


@dataclass(frozen=True, slots=True)
class _Drawing:
    chart: Bars
    style: Style
    width: float
    height: float

    def scene(self) -> Scene:
        unit = shown(self.chart.quantity, self._values)
        better = "less is better" if self.chart.quantity.less_is_better else "more is better"
        heading = self.style.elided(f"{title(self.chart.quantity, unit)}, {better}", self.width)
        places = list(enumerate(self.chart.bars))
        items: list[Item] = [Words(Point(0, self.style.size), heading, self.style.size)]
        items += [item for place, bar in places for item in self._bar(place, bar)]
        items += self._reference()
        return Scene(self.width, self.height, tuple(items), tuple(self._target(*place) for place in places))

    @property
    def _values(self) -> Sequence[float]:
        values = [bar.found.high for bar in self.chart.bars]
        return [*values, self.chart.reference.value] if self.chart.reference else values

    @property
    def _row(self) -> float:
        """The height of one row."""
        room = (self.height - _around(self.style)) / len(self.chart.bars)
        return min(max(room, self.style.line * _LOWEST), self.style.line * _HIGHEST)

    @property
    def _left(self) -> float:
        """Where bars begin."""
        names = widest(self.style, [bar.name for bar in self.chart.bars])
        return min(names, self.width * _NAMES) + self.style.scaled(_GAP)

    def _across(self, value: float) -> float:
        figures = widest(self.style, [self._figure(bar) for bar in self.chart.bars]) + 2 * self.style.scaled(_GAP)
        return self._left + max(self.width - self._left - figures, 1.0) * value / (max(self._values) or 1.0)

    def _figure(self, bar: Bar) -> str:
        return figure(bar.found.value / shown(self.chart.quantity, self._values).divisor)

    def _area(self, place: int, bar: Bar) -> Area:
        top = _head(self.style) + place * self._row
        return Area(self._left, top + self._row * 0.1, self._across(bar.found.value) - self._left, self._row * 0.8)

    def _bar(self, place: int, bar: Bar) -> Iterator[Item]:
        style, area, gap = self.style, self._area(place, bar), self.style.scaled(_GAP)
        base = area.middle.y + style.size * 0.36
        yield Words(Point(self._left - gap, base), style.elided(bar.name, self._left - gap), style.size, "text", "end")
        yield Box(area, "accent", radius=style.scaled(3))
        low, high = self._across(bar.found.low), self._across(bar.found.high)
        if high > low:
            yield Line((Point(low, area.middle.y), Point(high, area.middle.y)), "text", 1.5)
        yield Words(Point(max(area.right, high) + gap, base), self._figure(bar), style.size)

    def _reference(self) -> Iterator[Item]:
        """Yield the line at the original's figure, and its name below; at 0 there is none to draw."""
        if not self.chart.reference or not self.chart.reference.value:
            return
        style, at = self.style, self._across(self.chart.reference.value)
        bottom = _head(style) + self._row * len(self.chart.bars)
        yield Line((Point(at, style.line), Point(at, bottom)), "text", 1.5, dash=style.scaled(4))
        value = self.chart.reference.value / shown(self.chart.quantity, self._values).divisor
        words = f"original: {figure(value)}"
        half = style.width(words) / 2
        middle = max(min(at, self.width - half), half)
        yield Words(Point(middle, bottom + style.size * 1.1), words, style.size, "text", "middle")

    def _target(self, place: int, bar: Bar) -> Target:
        return Target(bar.key, self._area(place, bar), self.chart.words(bar), bar.label)
