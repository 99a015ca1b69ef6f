"""Distribution of KL divergence over positions."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.distribution import distribution


class DistributionChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent, draw=distribution)
