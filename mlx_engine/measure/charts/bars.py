"""One figure for all candidates, the best first, with a line at the original's."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.amounts import format_number
from mlx_engine.measure.charts.axes import widest
from mlx_engine.measure.charts.captions import method, reading, subject
from mlx_engine.measure.charts.chart import blank
from mlx_engine.measure.charts.missing import why_nothing
from mlx_engine.measure.charts.scene import Area, BoxItem, HoverTarget, Item, LineItem, Point, Scene, TextItem
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.format import DisplayUnit, display_unit, format_figure, heading
from mlx_engine.measure.figures.sample import samples
from mlx_engine.measure.study.study import Study

_GAP = 8.0
_LOWEST, _HIGHEST = 1.5, 2.6
"""Of a row, in lines of text."""
_NAMES = 0.4
"""The largest share of the width that names take."""


@dataclass(frozen=True, slots=True)
class CandidateBar:
    key: str
    label: str
    name: str
    estimate: FigureEstimate


@dataclass(frozen=True, slots=True)
class Bars:
    """The chart; `reference` is the original's figure."""

    title: str
    reading: str
    method: str
    figure: Figure
    bars: tuple[CandidateBar, ...]
    reference: FigureEstimate | None
    nothing: str
    """Shown in place of bars."""

    @property
    def description(self) -> str:
        of_original = f" The original: {format_figure(self.figure, self.reference)}." if self.reference else ""
        return f"{self.title}. " + " ".join(f"{self.bar_text(bar)}." for bar in self.bars) + of_original

    def bar_text(self, bar: CandidateBar) -> str:
        return f"{bar.name}: {format_figure(self.figure, bar.estimate)}"

    def least_height(self, style: Style) -> float:
        return _around(style) + max(len(self.bars), 3) * style.line * _LOWEST

    def draw(self, width: float, height: float, style: Style) -> Scene:
        if not self.bars:
            return blank(self.nothing, width, height, style)
        return _drawing(self, style, width, height).scene(height)


def bars(study: Study, figure: Figure) -> Bars:
    """Return the chart of the results so far."""
    estimates = [(sample, figure.plotted(sample)) for sample in samples(study)]
    candidates = [
        CandidateBar(sample.key, sample.row.label, sample.name, estimate)
        for sample, estimate in estimates
        if estimate and not sample.is_reference and (figure.source == "fidelity" or sample.cache_bits == 16)
    ]
    return Bars(
        title=f"{subject(study)}: {figure.title_in_sentence}",
        reading=reading(study, (figure,)),
        method=method(study, (figure,)),
        figure=figure,
        bars=tuple(sorted(candidates, key=lambda bar: bar.estimate.value, reverse=not figure.less_is_better)),
        reference=next((estimate for sample, estimate in estimates if sample.is_reference), None),
        nothing=why_nothing(study, (figure,)),
    )


def _head(style: Style) -> float:
    return style.line + style.scaled(_GAP)


def _around(style: Style) -> float:
    """Return the height of the areas above and below the bars."""
    return _head(style) + style.line


def _drawing(chart: Bars, style: Style, width: float, height: float) -> "_Drawing":
    """Divide the width among names, bars and figures, and the height among rows."""
    of_original = [chart.reference.value] if chart.reference else []
    most = max([*(bar.estimate.high for bar in chart.bars), *of_original])
    unit, gap = display_unit(chart.figure, [most]), style.scaled(_GAP)
    left_edge = min(widest(style, [bar.name for bar in chart.bars]), width * _NAMES) + gap
    figures = widest(style, [format_number(bar.estimate.value / unit.divisor) for bar in chart.bars]) + 2 * gap
    row = (height - _around(style)) / len(chart.bars)
    return _Drawing(
        chart,
        style,
        unit,
        plot=Area(left_edge, _head(style), max(width - left_edge - figures, 1.0), 0.0),
        width=width,
        row=min(max(row, style.line * _LOWEST), style.line * _HIGHEST),
        most=most or 1.0,
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The chart while it is drawn: bars start at the left of `plot`, and a bar of `most` fills its width."""

    chart: Bars
    style: Style
    unit: DisplayUnit
    plot: Area
    width: float
    row: float
    """The height of one."""
    most: float

    def scene(self, height: float) -> Scene:
        better = "lower is better" if self.chart.figure.less_is_better else "higher is better"
        title = self.style.elided(f"{heading(self.chart.figure, self.unit)}, {better}", self.width)
        bars = list(enumerate(self.chart.bars))
        items: list[Item] = [TextItem(Point(0, self.style.size), title, self.style.size)]
        items += [item for index, bar in bars for item in self._bar(index, bar)]
        items += self._reference()
        return Scene(self.width, height, tuple(items), tuple(self._target(index, bar) for index, bar in bars))

    def _across(self, value: float) -> float:
        return self.plot.left + self.plot.width * value / self.most

    def _area(self, index: int, bar: CandidateBar) -> Area:
        top = self.plot.top + index * self.row
        return Area(
            self.plot.left, top + self.row * 0.1, self._across(bar.estimate.value) - self.plot.left, self.row * 0.8
        )

    def _bar(self, index: int, bar: CandidateBar) -> Iterator[Item]:
        style, area, gap = self.style, self._area(index, bar), self.style.scaled(_GAP)
        base, right = area.middle.y + style.size * 0.36, self.plot.left - gap
        yield TextItem(Point(right, base), style.elided(bar.name, right), style.size, "text", "end")
        yield BoxItem(area, "accent", radius=style.scaled(3))
        low, high = self._across(bar.estimate.low), self._across(bar.estimate.high)
        if high > low:
            yield from self._whisker(low, high, area)
        text = format_number(bar.estimate.value / self.unit.divisor)
        yield TextItem(Point(self._clear_of_line(max(area.right, high) + gap, text), base), text, style.size)

    def _clear_of_line(self, left_edge: float, text: str) -> float:
        """Return the left side of `text`: `left`, or right of the original's line if they would overlap it."""
        if not self.chart.reference:
            return left_edge
        line, gap = self._across(self.chart.reference.value), self.style.scaled(_GAP) / 2
        return line + gap if left_edge - gap < line < left_edge + self.style.width(text) + gap else left_edge

    def _whisker(self, low: float, high: float, area: Area) -> Iterator[Item]:
        """Yield the error bar, with ends if it is long enough for them."""
        middle, half = area.middle.y, min(self.style.scaled(4), area.height / 4)
        yield LineItem((Point(low, middle), Point(high, middle)), "text", 1.5)
        for end in (low, high) if high - low > half else ():
            yield LineItem((Point(end, middle - half), Point(end, middle + half)), "text", 1.5)

    def _reference(self) -> Iterator[Item]:
        """Yield the line at the original's figure with its label below; none at 0."""
        if not self.chart.reference or not self.chart.reference.value:
            return
        style, at = self.style, self._across(self.chart.reference.value)
        bottom = self.plot.top + self.row * len(self.chart.bars)
        yield LineItem(
            (Point(at, self.plot.top - style.scaled(4)), Point(at, bottom)), "text", 1.5, dash=style.scaled(4)
        )
        label = f"original: {format_number(self.chart.reference.value / self.unit.divisor)}"
        half = style.width(label) / 2
        middle = max(min(at, self.width - half), half)
        yield TextItem(Point(middle, bottom + style.size * 1.1), label, style.size, "text", "middle")

    def _target(self, index: int, bar: CandidateBar) -> HoverTarget:
        return HoverTarget(bar.key, self._area(index, bar), self.chart.bar_text(bar), bar.label, bar.key, bar.name)
