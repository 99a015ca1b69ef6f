"""The views of a study beside its table, as data: the segments above them are made from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from app.viewmodels.lab.studies import Lab
from app.views.charts.bars_chart import BarsChart
from app.views.charts.distribution_chart import DistributionChart
from app.views.charts.kinds_chart import KindsChart
from app.views.charts.pareto_chart import ParetoChart
from app.views.kit.study_pane import StudyPane
from app.views.kit.theme import Theme
from app.views.lab.chart_pane import ChartPane


@dataclass(frozen=True, slots=True)
class View:
    """`make` builds it when it is first wanted."""

    title: str
    make: Callable[[Lab, Theme], StudyPane]


VIEWS: Sequence[View] = (
    View("Chart", partial(ChartPane, make=ParetoChart)),
    View("Bars", partial(ChartPane, make=BarsChart)),
    View("By kind", partial(ChartPane, make=KindsChart)),
    View("Spread", partial(ChartPane, make=DistributionChart)),
)
