"""Quality loss of each candidate by kind of text."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import FigureChoice, StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.kinds import kinds
from mlx_engine.measure.charts.pareto import UP


class KindsChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, draw=kinds, choices=(FigureChoice("Figure", UP),))
