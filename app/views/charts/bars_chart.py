"""One figure of all candidates, compared with the original."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import FigureChoice, StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.bars import bars
from mlx_engine.measure.figures.figures import CHART_FIGURES, MEAN_KL


class BarsChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        # Every study measures it, while speed is optional.
        choice = FigureChoice("Figure", CHART_FIGURES, first=CHART_FIGURES.index(MEAN_KL))
        super().__init__(theme, parent, draw=bars, choices=(choice,))
