"""The axes of a chart: a plot area that clips no label, the grid, ticks and titles."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mlx_engine.measure.charts import scales
from mlx_engine.measure.charts.scales import Log, Scale, Tick
from mlx_engine.measure.charts.scene import Area, Item, LineItem, Point, TextItem
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.format import display_unit, heading

_GAP = 6.0
"""Between a tick's words and the plot."""
_TITLE = 10.0
"""Between the title of y and the plot."""
_WIDE, _WIDE_BYTES = 20.0, 3.0
"""Ratio of the largest to the smallest value from which a scale is logarithmic; it is lower for bytes, which are
proportional to bits."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A value, divided by `divisor`, has its place on `scale`."""

    title: str
    scale: Scale
    divisor: float = 1.0

    def share(self, value: float) -> float:
        return self.scale.share(value / self.divisor)


def axis(figure: Figure, estimates: Sequence[FigureEstimate], also: Sequence[float] = ()) -> Axis:
    """Return an axis that includes `estimates` and the values `also`, in a unit that suits them."""
    unit = display_unit(figure, [estimate.value for estimate in estimates])
    values = [*also, *(estimate.value for estimate in estimates), *(estimate.high for estimate in estimates)]
    # On a logarithmic scale the lower end of an error may be anywhere down to 0: half of the value is low enough.
    lows = [max(estimate.low, estimate.value / 2) for estimate in estimates]
    values = [value / unit.divisor for value in (*values, *lows)]
    positive = [value for value in values if value > 0]
    wide = _WIDE_BYTES if figure.unit in ("disk", "memory") else _WIDE
    title = heading(figure, unit)
    if figure.is_log or (positive and max(positive) / min(positive) > wide):
        return Axis(f"{title}, log scale", scales.log(values), unit.divisor)
    return Axis(title, scales.linear(values, from_zero=figure.unit == "share"), unit.divisor)


@dataclass(frozen=True, slots=True)
class Frame:
    """Two axes around a plot; `y` is None for rows with names."""

    plot: Area
    x: Axis
    y: Axis | None
    style: Style

    def across(self, value: float) -> float:
        return self.plot.left + self.plot.width * self.x.share(value)

    def up(self, value: float) -> float:
        assert self.y  # noqa: S101 - a frame of rows is not asked
        return self.plot.bottom - self.plot.height * self.y.share(value)

    def ground(self) -> Iterator[Item]:
        """Yield the grid, the tick labels and the titles; that of y is horizontal, above the plot."""
        style, plot, gap = self.style, self.plot, self.style.scaled(_GAP)
        for tick in _fitting(self.x.scale, plot.width, style):
            at = plot.left + plot.width * self.x.scale.share(tick.value)
            yield self._across_at(tick, Point(at, plot.top), Point(at, plot.bottom), self.x.scale)
            yield TextItem(Point(at, plot.bottom + gap + style.size), tick.text, style.size, "secondary", "middle")
        foot = plot.bottom + gap + style.size + style.line
        title = style.elided(self.x.title, plot.right)
        middle = min(max(plot.middle.x, style.width(title) / 2), plot.right - style.width(title) / 2)
        yield TextItem(Point(middle, foot), title, style.size, "text", "middle")
        if self.y:
            yield from self._rising_ground(self.y)

    def _across_at(self, tick: Tick, start: Point, end: Point, scale: Scale) -> LineItem:
        """Return the line of a tick; dashed at 0 on a logarithmic scale, where the distance to it has no meaning."""
        is_apart = isinstance(scale, Log) and not tick.value
        return LineItem(
            (start, end), "tertiary" if is_apart else "grid", dash=self.style.scaled(3) if is_apart else 0.0
        )

    def _rising_ground(self, y: Axis) -> Iterator[Item]:
        style, plot, gap = self.style, self.plot, self.style.scaled(_GAP)
        for tick in _rising(y.scale, plot.height, style):
            at = plot.bottom - plot.height * y.scale.share(tick.value)
            yield self._across_at(tick, Point(plot.left, at), Point(plot.right, at), y.scale)
            yield TextItem(Point(plot.left - gap, at + style.size * 0.36), tick.text, style.size, "secondary", "end")
        title = style.elided(y.title, plot.right)
        yield TextItem(Point(0, plot.top - style.scaled(_TITLE) - style.line + style.size), title, style.size)


def frame(area: Area, x: Axis, y: Axis | None, style: Style, *, names: float = 0.0) -> Frame:
    """Return the largest plot in `area` that leaves room for labels; `names` is the width of those of rows."""
    top = area.top + (style.line + style.scaled(_TITLE) if y else 0.0)
    height = max(area.bottom - top - below(style), 1.0)
    ticks = _rising(y.scale, height, style) if y else []
    left_edge = max(names, widest(style, [tick.text for tick in ticks])) + style.scaled(_GAP)
    width = max(area.width - left_edge - right(x, area.width - left_edge, style), 1.0)
    return Frame(Area(area.left + left_edge, top, width, height), x, y, style)


def below(style: Style) -> float:
    """Return the height of the ticks and the title of x."""
    return style.scaled(_GAP) + style.size + style.line + style.size * 0.3


def right(x: Axis, width: float, style: Style) -> float:
    """Return the width of the last tick label to the right of the plot."""
    return widest(style, [tick.text for tick in _fitting(x.scale, width, style)]) / 2 + 1


def widest(style: Style, texts: Sequence[str]) -> float:
    return max(map(style.width, texts), default=0.0)


def _fitting(scale: Scale, width: float, style: Style) -> list[Tick]:
    """Return as many ticks as fit next to each other with some space."""
    for most in range(8, 1, -1):
        ticks = scale.ticks(most)
        apart = width * min(_distances(scale, ticks), default=1.0)
        if apart >= widest(style, [tick.text for tick in ticks]) + style.scaled(16):
            return ticks
    return scale.ticks(2)[:1]


def _rising(scale: Scale, height: float, style: Style) -> list[Tick]:
    """Return as many ticks as fit above each other with some space."""
    most = max(math.floor(height / (style.line * 2)), 1)
    for fewer in range(min(most, 7), 0, -1):
        ticks = scale.ticks(fewer)
        if height * min(_distances(scale, ticks), default=1.0) >= style.line:
            return ticks
    return []


def _distances(scale: Scale, ticks: Sequence[Tick]) -> list[float]:
    positions = [scale.share(tick.value) for tick in ticks]
    return [after - before for before, after in pairwise(positions)]
