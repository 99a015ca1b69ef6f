"""Charts of a report: inline SVG in a figure, in the colors of the page."""

from collections.abc import Iterator
from dataclasses import replace

from mlx_engine.measure.charts import bars, kinds, pareto
from mlx_engine.measure.charts.chart import Chart, caption
from mlx_engine.measure.charts.distribution import distribution
from mlx_engine.measure.charts.style import Style
from mlx_engine.measure.charts.svg import LIGHT, svg
from mlx_engine.measure.figures.figures import DECODE_SPEED, MEAN_KL, SIZE, TOP1_DISAGREEMENT
from mlx_engine.measure.report.markup import Markup, element
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.study.study import Study

_WIDTH, _HEIGHT = 1040.0, 420.0
_LONGEST = 4000
"""Characters of a description, which names every model."""
_STYLE = Style(size=14.0)


def colors() -> str:
    """Return the CSS rules that replace the colors of charts, drawn for white, by those of the page."""
    return "\n".join(
        f'figure svg [{part}="{color}"] {{ {part}: var(--{role}); }}'
        for role, color in LIGHT.items()
        for part in ("fill", "stroke")
    )


def trade_offs(study: Study) -> Iterator[Markup]:
    """Yield the charts of cost against loss."""
    yield figure(pareto.pareto(study, SIZE, MEAN_KL))
    if any(row.speed for row in study.candidates):
        yield figure(pareto.pareto(study, DECODE_SPEED, MEAN_KL))
    disagreement = bars.bars(study, TOP1_DISAGREEMENT)
    yield figure(disagreement, 1.2 * disagreement.least_height(_STYLE))


def by_kind(study: Study) -> Markup:
    return figure(kinds.kinds(study, MEAN_KL))


def spread(study: Study) -> Markup:
    return figure(distribution(study))


def figure(chart: Chart, height: float = _HEIGHT) -> Markup:
    """Return `chart` with its title above and its caption below."""
    scene = chart.draw(_WIDTH, max(height, chart.least_height(_STYLE)), _STYLE)
    tips = tuple(replace(target, text=one_line(target.text)) for target in scene.targets)
    description = one_line(chart.description, _LONGEST)
    picture = Markup(svg(replace(scene, targets=tips), title=one_line(chart.title), description=description))
    return element(
        "figure",
        element("h3", one_line(chart.title)),
        element("div", picture, class_="scroll"),
        element("figcaption", one_line(caption(chart), _LONGEST)),
    )
