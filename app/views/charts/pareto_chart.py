"""What each candidate costs against what it loses: the chart that answers which to take."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import Choice, StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.pareto import ACROSS, UP, Pareto, pareto
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.study.study import Study


class ParetoChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._memory_bytes: int | None = None
        super().__init__(
            theme, parent, draw=self._pareto, choices=(Choice("Vertical axis", UP), Choice("Horizontal axis", ACROSS))
        )

    def show_memory(self, available_bytes: int) -> None:
        """Draw a line at what models may take of this machine's memory, where memory is shown."""
        self._memory_bytes = available_bytes
        self._renew()

    def _pareto(self, study: Study, *chosen: Figure) -> Pareto:
        up, across = chosen
        return pareto(study, across, up, self._memory_bytes)
