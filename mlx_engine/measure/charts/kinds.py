"""Loss by kind of text: a row for each kind, a dot with its error for each candidate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mlx_engine.measure.charts import axes
from mlx_engine.measure.charts.captions import method, reading, subject
from mlx_engine.measure.charts.chart import blank
from mlx_engine.measure.charts.missing import why_nothing
from mlx_engine.measure.charts.scene import Area, DiscItem, HoverTarget, Ink, Item, LineItem, Point, Scene, TextItem
from mlx_engine.measure.charts.series import SeriesLegend, colors, legend_lines
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.format import format_figure
from mlx_engine.measure.figures.sample import Sample, samples
from mlx_engine.measure.study.study import Study

_ALL = "all texts"
_ONE_KIND = "The text of this study has only one kind. Facet's own texts have several to compare."
_ONE_CHUNK = " A kind with only one chunk has none."
_RADIUS, _APART = 4.0, 4.5
"""Of a dot, and from one candidate's line to the next."""
_GAP = 10.0
_NAMES = 0.3
"""The largest share of the width that the kinds' names take."""


@dataclass(frozen=True, slots=True)
class Dots:
    """A candidate with its figure for each kind of text."""

    key: str
    label: str
    name: str
    estimates: dict[str, FigureEstimate]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The chart: candidates from the closest to the farthest, kinds in the order of the corpus."""

    title: str
    reading: str
    method: str
    figure: Figure
    kinds: tuple[str, ...]
    candidates: tuple[Dots, ...]
    nothing: str
    """Shown in place of candidates."""

    @property
    def description(self) -> str:
        sentences = (self.dot_text(dots, kind) for dots in self.candidates for kind in dots.estimates)
        return f"{self.title}. " + " ".join(f"{sentence}." for sentence in sentences)

    def dot_text(self, dots: Dots, kind: str) -> str:
        return f"{dots.name}, {kind}: {format_figure(self.figure, dots.estimates[kind])}"

    def least_height(self, style: Style) -> float:
        legend = legend_lines(len(self.candidates)) * style.line
        return legend + axes.below(style) + len(self.kinds) * _band(len(self.candidates), style)

    def draw(self, width: float, height: float, style: Style) -> Scene:
        if not self.candidates:
            return blank(self.nothing, width, height, style)
        return _Drawing(self, _frame(self, width, height, style), style).scene(width, height)


def kinds(study: Study, figure: Figure) -> Kinds:
    """Return the chart of the results so far."""
    candidates = [
        Dots(sample.key, sample.row.label, sample.name, _figures(sample, figure))
        for sample in samples(study)
        if sample.result and len(sample.result.by_kind) > 1 and figure.plotted(sample)
    ]
    return Kinds(
        title=f"{subject(study)}: {figure.title_in_sentence} by kind of text",
        reading=reading(study, (figure,)) + (_ONE_CHUNK if _has_single_chunks(study) else ""),
        method=method(study, (figure,)),
        figure=figure,
        kinds=tuple(dict.fromkeys(kind for dots in candidates for kind in dots.estimates)),
        candidates=tuple(sorted(candidates, key=lambda dots: dots.estimates[_ALL].value)),
        nothing=_ONE_KIND if any(row.fidelity for row in study.rows) else why_nothing(study, (figure,)),
    )


def _has_single_chunks(study: Study) -> bool:
    results = [result for row in study.rows for result in row.fidelity]
    return any(fidelity.chunks == 1 for result in results for fidelity in result.by_kind.values())


def _figures(sample: Sample, figure: Figure) -> dict[str, FigureEstimate]:
    estimates = {_ALL: figure.plotted(sample)}
    kinds = sample.result.by_kind if sample.result else {}
    estimates |= {kind: figure.plotted(replace(sample, fidelity=fidelity)) for kind, fidelity in kinds.items()}
    return {kind: estimate for kind, estimate in estimates.items() if estimate}


def _band(candidates: int, style: Style) -> float:
    """Return the least height of a kind's row."""
    return max(candidates * style.scaled(_APART) + style.scaled(_GAP), style.line * 1.4)


def _frame(chart: Kinds, width: float, height: float, style: Style) -> axes.Frame:
    legend = SeriesLegend([dots.name for dots in chart.candidates], width, style)
    top = legend.height + style.scaled(_GAP)
    x = axes.axis(chart.figure, [estimate for dots in chart.candidates for estimate in dots.estimates.values()])
    widest = max(style.width(kind, bold=True) for kind in chart.kinds)
    names = min(widest, width * _NAMES) + style.scaled(_GAP)
    return axes.frame(Area(0, top, width, height - top), x, None, style, names=names)


@dataclass(frozen=True, slots=True)
class _Drawing:
    chart: Kinds
    frame: axes.Frame
    style: Style

    def scene(self, width: float, height: float) -> Scene:
        legend = SeriesLegend([dots.name for dots in self.chart.candidates], width, self.style)
        items = [*legend.items(), *self.frame.ground(), *self._rows(), *self._dots()]
        return Scene(width, height, tuple(items), tuple(self._targets()))

    @property
    def _row(self) -> float:
        return self.frame.plot.height / len(self.chart.kinds)

    def _rows(self) -> Iterator[Item]:
        style, plot = self.style, self.frame.plot
        for index, kind in enumerate(self.chart.kinds):
            top = plot.top + index * self._row
            yield LineItem((Point(0, top), Point(plot.right, top)), "grid")
            available = plot.left - style.scaled(_GAP)
            base = Point(0, top + self._row / 2 + style.size * 0.36)
            yield TextItem(base, style.elided(kind, available), style.size, bold=kind == _ALL)
        yield LineItem((Point(0, plot.bottom), Point(plot.right, plot.bottom)), "grid")

    def _places(self) -> Iterator[tuple[Dots, str, Ink, FigureEstimate, Point]]:
        """Yield all dots; the candidates of a kind are below each other in the order of the legend."""
        count = len(self.chart.candidates)
        apart = (self._row - self.style.scaled(_GAP)) / count
        for number, (dots, ink) in enumerate(zip(self.chart.candidates, colors(count), strict=True)):
            for index, kind in enumerate(self.chart.kinds):
                if estimate := dots.estimates.get(kind):
                    y = self.frame.plot.top + (index + 0.5) * self._row + (number - (count - 1) / 2) * apart
                    yield dots, kind, ink, estimate, Point(self.frame.across(estimate.value), y)

    def _dots(self) -> Iterator[Item]:
        for _, _, ink, estimate, at in self._places():
            low, high = self.frame.across(estimate.low), self.frame.across(estimate.high)
            if high > low:
                yield LineItem((Point(low, at.y), Point(high, at.y)), ink, 1.5)
            yield DiscItem(at, self.style.scaled(_RADIUS), ink, "background", 1.0)

    def _targets(self) -> Iterator[HoverTarget]:
        for dots, kind, _, _, at in self._places():
            area = Area(at.x, at.y, 0, 0).grown(self.style.scaled(_RADIUS))
            yield HoverTarget(
                f"{dots.key} {kind}", area, self.chart.dot_text(dots, kind), dots.label, dots.key, dots.name
            )
