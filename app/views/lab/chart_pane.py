"""A view of a study that shows a chart."""

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout

from app.viewmodels.lab.studies import Lab
from app.views.charts.pareto_chart import ParetoChart
from app.views.charts.study_chart import StudyChart
from app.views.kit.grid import SIDE, VerticalScrollArea
from app.views.kit.study_pane import StudyPane
from app.views.kit.theme import Theme


class ChartPane(StudyPane):
    """Wraps the chart that `make` returns. Does not draw while it is hidden."""

    is_next_to_table = True

    def __init__(self, lab: Lab, theme: Theme, make: Callable[[Theme], StudyChart]) -> None:
        super().__init__()
        self._lab = lab
        self.chart = make(theme)
        scroll = VerticalScrollArea(theme, "Chart")
        scroll.column.setContentsMargins(SIDE - 4, 0, SIDE - 4, SIDE - 4)
        scroll.column.addWidget(self.chart)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll)
        self.chart.activated.connect(self.selected)
        self.chart.row_opened.connect(self.chat_requested)
        self.chart.failed.connect(lab.problem)
        lab.changed.connect(self.refresh)
        if isinstance(self.chart, ParetoChart):
            self.chart.show_memory(lab.available_bytes)

    def select(self, key: str) -> None:
        self.chart.select(key)

    def refresh(self) -> None:
        """Show the results so far."""
        if self._lab.study and self.isVisible():
            self.chart.show_study(self._lab.study)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
