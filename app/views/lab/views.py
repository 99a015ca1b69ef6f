"""Views of a study besides its table."""

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
class LabView:
    """A view; `make` creates it on first use."""

    title: str
    make: Callable[[Lab, Theme], StudyPane]


VIEWS: Sequence[LabView] = (
    LabView("Chart", partial(ChartPane, make=ParetoChart)),
    LabView("Bars", partial(ChartPane, make=BarsChart)),
    LabView("By kind", partial(ChartPane, make=KindsChart)),
    LabView("Spread", partial(ChartPane, make=DistributionChart)),
)
