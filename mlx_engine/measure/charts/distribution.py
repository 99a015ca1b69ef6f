"""Distribution of KL divergence over positions: for each candidate, the share of positions with at least some KL.

Curves stay distinguishable where histograms would overlap, and show the rare bad positions that means hide.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx_engine.amounts import format_number
from mlx_engine.measure.charts import axes
from mlx_engine.measure.charts.captions import method, subject
from mlx_engine.measure.charts.chart import blank
from mlx_engine.measure.charts.missing import why_nothing, without
from mlx_engine.measure.charts.scales import Log
from mlx_engine.measure.charts.scene import Area, DiscItem, HoverTarget, Item, LineItem, Point, Scene, TextItem
from mlx_engine.measure.charts.series import SeriesLegend, colors, legend_lines
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.figures.figures import MEAN_KL
from mlx_engine.measure.figures.sample import Sample, samples
from mlx_engine.measure.results.kl_histogram import BIN_EDGES, shares_at_or_above
from mlx_engine.measure.study.study import Study

_RADIUS, _GAP = 4.0, 10.0
_LEVELS = (("median", 0.5), ("99th percentile", 0.01))
_ALMOST_ALL = 0.98
"""Share of positions above which the curves of all candidates are still flat."""
_LEAST = 1e-4
_HOW_TO_READ = "Share of positions with at least this KL."
_ALIKE = f"No position has a KL above {format_number(BIN_EDGES[0])} nats: the candidates match the original."


@dataclass(frozen=True, slots=True)
class Curve:
    """A candidate with the `shares` of its positions at or above each of the borders."""

    key: str
    label: str
    name: str
    shares: tuple[float, ...]
    median: float
    p99: float

    @property
    def text(self) -> str:
        median, p99 = format_number(self.median), format_number(self.p99)
        return f"{self.name}: half of the positions are below {median} nats, 1 of 100 is above {p99}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """The chart, the closest candidate first."""

    title: str
    reading: str
    method: str
    curves: tuple[Curve, ...]
    nothing: str
    """Shown in place of curves."""

    @property
    def description(self) -> str:
        return f"{self.title}. " + " ".join(f"{curve.text}." for curve in self.curves)

    def least_height(self, style: Style) -> float:
        return style.scaled(240) + legend_lines(len(self.curves)) * style.line

    def draw(self, width: float, height: float, style: Style) -> Scene:
        if not any(any(curve.shares) for curve in self.curves):
            return blank(self.nothing, width, height, style)
        return _Drawing(self, _frame(self, width, height, style), style).scene(width, height)


def distribution(study: Study) -> Distribution:
    """Return the chart of the results so far."""
    curves = [curve for sample in samples(study) if (curve := _curve(sample))]
    return Distribution(
        title=f"{subject(study)}: distribution of KL over positions",
        reading=" ".join((_HOW_TO_READ, *without(study, (MEAN_KL,)))),
        method=method(study, (MEAN_KL,)),
        curves=tuple(sorted(curves, key=lambda curve: curve.median)),
        nothing=_ALIKE if curves else why_nothing(study, (MEAN_KL,)),
    )


def _curve(sample: Sample) -> Curve | None:
    result = sample.result
    # Results of earlier versions have no counts.
    if result is None or not any(result.kl_counts):
        return None
    shares = tuple(shares_at_or_above(result.kl_counts))
    fidelity = result.fidelity
    return Curve(sample.key, sample.row.label, sample.name, shares, fidelity.median_kl, fidelity.p99_kl)


def _frame(chart: Distribution, width: float, height: float, style: Style) -> axes.Frame:
    top = SeriesLegend([curve.name for curve in chart.curves], width, style).height + style.scaled(_GAP)
    least = min(share for curve in chart.curves for share in curve.shares if share)
    seen = [
        border
        for index, border in enumerate(BIN_EDGES)
        if any(0 < curve.shares[index] < _ALMOST_ALL for curve in chart.curves)
    ]
    has_zero = any(curve.median <= 0 for curve in chart.curves)
    x = axes.Axis("KL divergence of a position (nats), log scale", Log(min(seen) / 1.5, max(seen) * 1.5, has_zero))
    y = axes.Axis("Positions with at least this KL (%), log scale", Log(100 * max(least, _LEAST) / 1.3, 100), 0.01)
    return axes.frame(Area(0, top, width, height - top), x, y, style)


@dataclass(frozen=True, slots=True)
class _Drawing:
    chart: Distribution
    frame: axes.Frame
    style: Style

    def scene(self, width: float, height: float) -> Scene:
        legend = SeriesLegend([curve.name for curve in self.chart.curves], width, self.style)
        items = [*legend.items(), *self.frame.ground(), *self._levels(), *self._curves(), *self._dots()]
        return Scene(width, height, tuple(items), tuple(self._targets()))

    def _levels(self) -> Iterator[Item]:
        """Yield the lines of the percentiles that the table has."""
        for name, share in _LEVELS:
            at, plot, style = self.frame.up(share), self.frame.plot, self.style
            yield LineItem((Point(plot.left, at), Point(plot.right, at)), "tertiary", 1.0, dash=style.scaled(3))
            # Below the line: at the left all curves are still at the top.
            yield TextItem(Point(plot.left + style.scaled(4), at + style.size * 1.1), name, style.size, "secondary")

    def _curves(self) -> Iterator[Item]:
        scale = self.frame.x.scale
        for curve, ink in zip(self.chart.curves, colors(len(self.chart.curves)), strict=True):
            through = [
                Point(self.frame.across(border), self.frame.up(share))
                for border, share in zip(BIN_EDGES, curve.shares, strict=True)
                if share and scale.low <= border <= scale.high
            ]
            if len(through) > 1:
                yield LineItem(tuple(through), ink, 2.0)

    def _places(self) -> Iterator[tuple[Curve, str, Point]]:
        for curve in self.chart.curves:
            for (name, share), kl in zip(_LEVELS, (curve.median, curve.p99), strict=True):
                yield curve, name, Point(self.frame.across(kl), self.frame.up(share))

    def _dots(self) -> Iterator[Item]:
        inks = dict(zip((curve.key for curve in self.chart.curves), colors(len(self.chart.curves)), strict=True))
        for curve, _, at in self._places():
            yield DiscItem(at, self.style.scaled(_RADIUS), inks[curve.key], "background", 1.0)

    def _targets(self) -> Iterator[HoverTarget]:
        for curve, name, at in self._places():
            area = Area(at.x, at.y, 0, 0).grown(self.style.scaled(_RADIUS))
            yield HoverTarget(f"{curve.key} {name}", area, f"{curve.text}.", curve.label, curve.key, curve.name)
