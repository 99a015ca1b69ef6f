"""Cost of each candidate versus its quality loss, for choosing one."""

from PySide6.QtWidgets import QWidget

from app.views.charts.study_chart import FigureChoice, StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.pareto import ACROSS, UP, Pareto, pareto
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.study.study import Study


class ParetoChart(StudyChart):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._memory_bytes: int | None = None
        super().__init__(
            theme,
            parent,
            draw=self._pareto,
            choices=(FigureChoice("Vertical axis", UP), FigureChoice("Horizontal axis", ACROSS)),
        )

    def show_memory(self, available_bytes: int) -> None:
        """Draw a line at the memory available for models on this Mac, if an axis shows memory."""
        self._memory_bytes = available_bytes
        self._refresh()

    def _pareto(self, study: Study, up: Figure, across: Figure) -> Pareto:
        return pareto(study, across, up, self._memory_bytes)
