"""One figure of all candidates, compared with the original."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import FigureChoice, StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.bars import bars
from mlx_engine.measure.figures.figures import CHART_FIGURES, DECODE_SPEED


class BarsChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        choice = FigureChoice("Figure", CHART_FIGURES, first=CHART_FIGURES.index(DECODE_SPEED))
        super().__init__(theme, parent, draw=bars, choices=(choice,))
