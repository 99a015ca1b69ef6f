"""A chart of a study with what it needs around it: a choice of what it shows, and a button that exports it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.chart_card import cards
from app.views.charts.chart_view import ChartView
from app.views.theme import Theme
from mlx_engine.measure.charts.chart import Chart
from mlx_engine.measure.charts.quantities import Quantity
from mlx_engine.measure.study import Study


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose a quantity from, called `name`; the one at `first` is chosen to begin with."""

    name: str
    quantities: Sequence[Quantity]
    first: int = 0


class Drawn(Protocol):
    """Makes the chart of a study and of what is chosen."""

    def __call__(self, study: Study, *chosen: Quantity) -> Chart: ...


class StudyChart(QWidget):
    row_activated = Signal(str)  # the label of a row
    row_pointed = Signal(str)  # likewise; "" for none
    failed = Signal(str, str)  # title and message of what went wrong

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, draw: Drawn, choices: Sequence[Choice] = ()
    ) -> None:
        super().__init__(parent)
        self._theme, self._draw = theme, draw
        self._study: Study | None = None
        self._choices = choices
        self.combos = [_combo(choice) for choice in choices]
        self.view = ChartView(theme)
        self._lay_out()
        for combo in self.combos:
            combo.currentIndexChanged.connect(self._renew)
        self.view.row_activated.connect(self.row_activated)
        self.view.row_pointed.connect(self.row_pointed)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        for combo in self.combos:
            head.addWidget(combo)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.view, 1)

    def show_study(self, study: Study) -> None:
        """Show what was found so far; cheap enough to be called whenever a figure comes."""
        self._study = study
        self._renew()

    def select(self, label: str) -> None:
        """Mark what belongs to the row called `label`."""
        self.view.select(label)

    def _renew(self) -> None:
        if self._study:
            chosen = (
                choice.quantities[combo.currentIndex()]
                for choice, combo in zip(self._choices, self.combos, strict=True)
            )
            self.view.show_chart(self._draw(self._study, *chosen), cards(self._study))


def _combo(choice: Choice) -> QComboBox:
    combo = QComboBox()
    combo.addItems([quantity.name for quantity in choice.quantities])
    combo.setCurrentIndex(choice.first)
    combo.setAccessibleName(choice.name)
    combo.setToolTip(choice.name)
    return combo
