"""One figure of all candidates, beside the original's."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import Choice, StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.bars import bars
from mlx_engine.measure.charts.quantities import DECODING, QUANTITIES


class BarsChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        choice = Choice("Figure", QUANTITIES, first=QUANTITIES.index(DECODING))
        super().__init__(theme, parent, draw=bars, choices=(choice,))
