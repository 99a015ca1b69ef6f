"""A chart of a study with what it needs around it: a choice of what it shows, and a button that exports it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.viewmodels.chart_card import cards
from app.views.buttons import TextButton
from app.views.charts.chart_view import ChartView
from app.views.charts.export import picture, write
from app.views.theme import Theme
from mlx_engine.errors import FacetError
from mlx_engine.measure.charts.chart import Chart
from mlx_engine.measure.charts.quantities import Quantity
from mlx_engine.measure.study import Study


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose a quantity from, called `name`; the one at `first` is chosen to begin with."""

    name: str
    quantities: Sequence[Quantity]
    first: int = 0


class StudyChart(QWidget):
    """`draw` makes the chart of a study and of what is chosen of each of the `choices`."""

    row_activated = Signal(str)  # the label of a row
    row_opened = Signal(str)  # likewise
    row_pointed = Signal(str)  # likewise; "" for none
    failed = Signal(str, str)  # title and message of what went wrong

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, draw: Callable[..., Chart], choices: Sequence[Choice] = ()
    ) -> None:
        super().__init__(parent)
        self._theme, self._draw = theme, draw
        self._study: Study | None = None
        self._choices = choices
        self.combos = [_combo(choice) for choice in choices]
        self.view = ChartView(theme)
        self.export_button = TextButton(theme, "Export")
        self.export_button.setToolTip("Save the chart as a picture, or copy it")
        self.export_button.setEnabled(False)
        self._lay_out()
        for combo in self.combos:
            combo.currentIndexChanged.connect(self._renew)
        self.export_button.clicked.connect(self._offer)
        self.view.row_activated.connect(self.row_activated)
        self.view.row_opened.connect(self.row_opened)
        self.view.row_pointed.connect(self.row_pointed)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        for combo in self.combos:
            head.addWidget(combo)
        head.addStretch(1)
        head.addWidget(self.export_button)
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
            self.export_button.setEnabled(bool(self.view.scene.targets))

    def _offer(self) -> None:
        menu = QMenu(self)
        menu.addAction("Save as PNG…", lambda: self._ask_where("png"))
        menu.addAction("Save as SVG…", lambda: self._ask_where("svg"))
        menu.addAction("Copy", self.copy)
        menu.exec(self.export_button.mapToGlobal(QPoint(0, self.export_button.height())))

    def _ask_where(self, kind: str) -> None:
        if chart := self.view.chart:
            name = re.sub(r"[^\w.-]+", "-", chart.title)
            chosen, _ = QFileDialog.getSaveFileName(self, "Save the chart", f"{name}.{kind}", f"Pictures (*.{kind})")
            if chosen:
                self.save(path if (path := Path(chosen)).suffix else path.with_suffix(f".{kind}"))

    def save(self, path: Path) -> None:
        """Write the chart as it is shown to `path`; what goes wrong is told by `failed`."""
        if chart := self.view.chart:
            try:
                write(chart, path, self._theme.font("small", tabular=True))
            except FacetError as error:
                self.failed.emit("The chart could not be saved", error.message)

    def copy(self) -> None:
        """Put the chart into the clipboard as a picture."""
        if chart := self.view.chart:
            QGuiApplication.clipboard().setImage(picture(chart, self._theme.font("small", tabular=True)))


def _combo(choice: Choice) -> QComboBox:
    combo = QComboBox()
    combo.addItems([quantity.name for quantity in choice.quantities])
    combo.setCurrentIndex(choice.first)
    combo.setAccessibleName(choice.name)
    combo.setToolTip(choice.name)
    return combo
