"""The chart that helps to choose: cost of each candidate against its loss, and the best trade-offs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mlx_engine.amounts import format_memory
from mlx_engine.measure.charts import axes, labels
from mlx_engine.measure.charts.captions import method, reading, subject
from mlx_engine.measure.charts.chart import blank
from mlx_engine.measure.charts.missing import why_nothing
from mlx_engine.measure.charts.scene import Area, DiscItem, HoverTarget, Item, LineItem, Point, Scene, TextItem
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.figures import CHART_FIGURES, MEAN_KL, PEAK_MEMORY, SIZE
from mlx_engine.measure.figures.format import format_figure
from mlx_engine.measure.figures.sample import format_precision, samples
from mlx_engine.measure.study.study import Study

ACROSS: Sequence[Figure] = tuple(figure for figure in CHART_FIGURES if figure.source != "fidelity")
"""Costs."""
UP: Sequence[Figure] = tuple(figure for figure in CHART_FIGURES if figure.source == "fidelity")
"""Losses."""

_RADIUS = 5.0
_LONGEST_NAME, _LONGEST_OF_MANY = 190.0, 150.0
_MANY = 16
"""Number of marks from which names are shorter, so that more of them fit."""
_FAR = 4.0
"""A limit beyond this multiple of the largest model would push all models to one side."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A model in the chart; `label` is that of its row. The original is not a candidate."""

    key: str
    label: str
    name: str
    x: FigureEstimate
    y: FigureEstimate
    precision: str = ""
    """End of the name, if it is the precision of the KV cache."""
    is_reference: bool = False
    is_dominated: bool = False


@dataclass(frozen=True, slots=True)
class Pareto:
    """The chart. `memory_bytes` is the memory available to models on this Mac, if it is to be marked by a line."""

    title: str
    reading: str
    method: str
    across: Figure
    up: Figure
    marks: tuple[Mark, ...]
    nothing: str
    """Shown in place of candidates."""
    memory_bytes: int | None = None

    @property
    def description(self) -> str:
        if self._is_empty:
            return self.nothing
        front = [mark.name for mark in self.marks if not mark.is_dominated and not mark.is_reference]
        return f"{self.title}. Best trade-offs: {', '.join(front) or 'none'}. " + " ".join(
            f"{self.mark_text(mark)}." for mark in self.marks
        )

    @property
    def _is_empty(self) -> bool:
        return all(mark.is_reference for mark in self.marks)

    def mark_text(self, mark: Mark) -> str:
        across, up = format_figure(self.across, mark.x), format_figure(self.up, mark.y)
        return f"{mark.name}: {across}, {self.up.title_in_sentence} {up}"

    def least_height(self, style: Style) -> float:
        return style.scaled(260)

    def draw(self, width: float, height: float, style: Style) -> Scene:
        if self._is_empty:
            return blank(self.nothing, width, height, style)
        return _Drawing(self, _frame(self, width, height, style), style).scene(width, height)


def pareto(study: Study, across: Figure = SIZE, up: Figure = MEAN_KL, memory_bytes: int | None = None) -> Pareto:
    """Return the chart of the results so far."""
    points = [(sample, across.plotted(sample), up.plotted(sample)) for sample in samples(study)]
    marks = [
        Mark(sample.key, sample.row.label, sample.name, x, y, format_precision(sample.cache_bits), sample.is_reference)
        for sample, x, y in points
        if x and y
    ]
    judged = tuple(_judged(marks, across, up))
    gray = " Gray: another candidate is at least as good in both." if any(mark.is_dominated for mark in judged) else ""
    return Pareto(
        title=f"{subject(study)}: {up.title_in_sentence} against {across.title_in_sentence}",
        reading=reading(study, (across, up)) + gray,
        method=method(study, (across, up)),
        across=across,
        up=up,
        marks=judged,
        nothing=why_nothing(study, (across, up)),
        memory_bytes=memory_bytes if across is PEAK_MEMORY else None,
    )


def _judged(marks: Sequence[Mark], across: Figure, up: Figure) -> Iterator[Mark]:
    """Yield `marks`, those dominated that another candidate equals in both and beats in one."""
    costs = [(_cost(across, mark.x), _cost(up, mark.y)) for mark in marks]
    candidates = {cost for mark, cost in zip(marks, costs, strict=True) if not mark.is_reference}
    for mark, (x, y) in zip(marks, costs, strict=True):
        beaten = any(a <= x and b <= y and (a, b) != (x, y) for a, b in candidates)
        yield replace(mark, is_dominated=beaten and not mark.is_reference)


def _cost(figure: Figure, estimate: FigureEstimate) -> float:
    return estimate.value if figure.less_is_better else -estimate.value


def _frame(chart: Pareto, width: float, height: float, style: Style) -> axes.Frame:
    costs = [mark.x for mark in chart.marks]
    limit = chart.memory_bytes
    also = [limit] if limit and limit < _FAR * max(estimate.value for estimate in costs) else []
    x, y = axes.axis(chart.across, costs, also), axes.axis(chart.up, [mark.y for mark in chart.marks])
    return axes.frame(Area(0, 0, width, height), x, y, style)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The chart while it is drawn, layer by layer."""

    chart: Pareto
    frame: axes.Frame
    style: Style

    def scene(self, width: float, height: float) -> Scene:
        items = [*self.frame.ground(), *self._limit(), *self._front(), *self._errors(), *self._discs(), *self._names()]
        return Scene(width, height, tuple(items), tuple(map(self._target, self.chart.marks)))

    def at(self, mark: Mark) -> Point:
        return Point(self.frame.across(mark.x.value), self.frame.up(mark.y.value))

    @property
    def front(self) -> list[Point]:
        """The best trade-offs, from left to right."""
        marks = (mark for mark in self.chart.marks if not mark.is_reference and not mark.is_dominated)
        return sorted(map(self.at, marks))

    @property
    def radius(self) -> float:
        return self.style.scaled(_RADIUS)

    def _limit(self) -> Iterator[Item]:
        """Yield the line at the memory of this Mac, which may be beyond the plot."""
        if self.chart.memory_bytes is None:
            return
        style, plot, at = self.style, self.frame.plot, self.frame.across(self.chart.memory_bytes)
        if at < plot.right:
            yield LineItem((Point(at, plot.top), Point(at, plot.bottom)), "warning", 1.5, dash=style.scaled(5))
        yield self._limit_label(self.chart.memory_bytes)

    def _limit_label(self, memory_bytes: int) -> TextItem:
        """Return the label of that line, on its right if there is room."""
        style, plot, at = self.style, self.frame.plot, self.frame.across(memory_bytes)
        label = f"This Mac: {format_memory(memory_bytes)}"
        label = label if at < plot.right else f"{label} →"
        is_left = at + style.width(label) + style.scaled(4) > plot.right
        at_line = Point(at + style.scaled(-4 if is_left else 4), plot.top + style.size * 1.1)
        return TextItem(at_line, label, style.size, "warning", "end" if is_left else "start")

    def _front(self) -> Iterator[Item]:
        if len(self.front) > 1:
            yield LineItem(tuple(self.front), "accent", 1.5, dash=self.style.scaled(5))

    def _errors(self) -> Iterator[Item]:
        for mark in self.chart.marks:
            ink = "text" if mark.is_reference else "muted" if mark.is_dominated else "accent"
            yield from (LineItem(bar, ink, 1.5) for bar in self._bars(mark))

    def _bars(self, mark: Mark) -> Iterator[tuple[Point, Point]]:
        """Yield the vertical and the horizontal error bar, if any."""
        at, frame = self.at(mark), self.frame
        upright = Point(at.x, frame.up(mark.y.low)), Point(at.x, frame.up(mark.y.high))
        level = Point(frame.across(mark.x.low), at.y), Point(frame.across(mark.x.high), at.y)
        yield from (bar for bar in (upright, level) if bar[0] != bar[1])

    def _discs(self) -> Iterator[Item]:
        for mark in sorted(self.chart.marks, key=lambda mark: not mark.is_dominated):
            if mark.is_reference:
                yield DiscItem(self.at(mark), self.radius, "background", "text", 1.5)
            else:
                yield DiscItem(
                    self.at(mark), self.radius, "muted" if mark.is_dominated else "accent", "background", 1.5
                )

    def _names(self) -> Iterator[Item]:
        """Yield the names, the most important first, with their leader lines."""
        style, plot = self.style, self.frame.plot
        marks = sorted(self.chart.marks, key=lambda mark: (mark.is_dominated, self.at(mark)))
        longest = style.scaled(_LONGEST_NAME if len(marks) < _MANY else _LONGEST_OF_MANY)
        texts = [self._short(mark, min(longest, plot.width / 2)) for mark in marks]
        named = [
            labels.Named(
                self.at(mark), self.radius, style.width(text) + 2, style.line, labels.WORST / (1 + mark.is_dominated)
            )
            for mark, text in zip(marks, texts, strict=True)
        ]
        limit = [style.area(item) for item in self._limit() if isinstance(item, TextItem)]
        lines = [*pairwise(self.front), *(bar for mark in marks for bar in self._bars(mark))]
        places = labels.place(named, plot, lines=lines, occupied=limit)
        for mark, text, placed in zip(marks, texts, places, strict=True):
            if placed is None:
                continue
            if placed.leader:
                yield LineItem(placed.leader, "tertiary")
            at = Point(placed.area.left + 1, placed.area.top + style.size * 1.05)
            yield TextItem(at, text, style.size, "secondary" if mark.is_dominated else "text")
        yield from self._left_out(places.count(None))

    def _short(self, mark: Mark, width: float) -> str:
        """Return the name elided to `width`, without losing the precision of the KV cache."""
        stem = mark.name.removesuffix(mark.precision)
        return self.style.elided(stem, width - self.style.width(mark.precision)) + mark.precision

    def _left_out(self, count: int) -> Iterator[Item]:
        """Yield the number of hidden names, above the plot, if the title of y leaves room."""
        style = self.style
        text = f"{count} {'name has' if count == 1 else 'names have'} no room"
        title_width = style.width(self.frame.y.title if self.frame.y else "") + style.scaled(24)
        if count and title_width + style.width(text) <= self.frame.plot.right:
            yield TextItem(Point(self.frame.plot.right, style.size), text, style.size, "secondary", "end")

    def _target(self, mark: Mark) -> HoverTarget:
        at = self.at(mark)
        area = Area(at.x, at.y, 0, 0).grown(self.radius)
        return HoverTarget(mark.key, area, self.chart.mark_text(mark), mark.label, mark.key, mark.name)
