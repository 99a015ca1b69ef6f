"""A chart of a study with what it needs around it: a choice of what it shows, and a button that exports it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.viewmodels.lab.chart_card import cards
from app.views.charts.chart_view import ChartView
from app.views.charts.export import file_stem, picture, write
from app.views.kit.chips import ChoiceChip
from app.views.kit.controls import SmallButton
from app.views.kit.flow import Flow
from app.views.kit.plain_text import plain
from app.views.kit.save_file import ask_save_path
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.errors import FacetError
from mlx_engine.measure.charts.chart import Chart
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.study.study import Study


@dataclass(frozen=True, slots=True)
class Choice:
    """A list of figures to choose from, called `name`; the one at `first` is the default."""

    name: str
    figures: Sequence[Figure]
    first: int = 0


class StudyChart(QWidget):
    """`draw` makes the chart of a study and of what is chosen of each of the `choices`."""

    activated = Signal(str)  # the key of a sample
    row_opened = Signal(str)  # the label of a row
    failed = Signal(str, str)  # title and message of what went wrong

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, draw: Callable[..., Chart], choices: Sequence[Choice] = ()
    ) -> None:
        super().__init__(parent)
        self._theme, self._draw = theme, draw
        self._study: Study | None = None
        self.chips = [_chip(choice, theme, self) for choice in choices]
        self.view = ChartView(theme)
        self.reading = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.export_button = SmallButton(theme, "Export", "Save the chart as a picture, or copy it")
        self.export_button.setEnabled(False)
        self._lay_out(theme)
        for chip in self.chips:
            chip.value_changed.connect(self._renew)
        self.export_button.clicked.connect(self._offer)
        self.view.activated.connect(self.activated)
        self.view.row_opened.connect(self.row_opened)

    def _lay_out(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(Flow([*self.chips[:1], *(_against(chip, theme) for chip in self.chips[1:])]), 1)
        head.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addWidget(self.reading)

    def show_study(self, study: Study) -> None:
        """Show what was found so far; cheap enough to be called whenever a figure comes."""
        self._study = study
        self._renew()

    def select(self, key: str) -> None:
        """Mark what belongs to the sample with this key."""
        self.view.select(key)

    def _renew(self) -> None:
        if self._study:
            chart = self._draw(self._study, *(chip.value for chip in self.chips))
            self.view.show_chart(chart, cards(self._study))
            has_marks = bool(self.view.scene.targets)
            self.export_button.setEnabled(has_marks)
            self.reading.setText(chart.reading)
            self.reading.setToolTip(plain(chart.method))
            self.reading.setVisible(has_marks and bool(chart.reading))

    def _offer(self) -> None:
        menu = QMenu(self)
        menu.addAction("Save as PNG…", lambda: self._ask_where("png"))
        menu.addAction("Save as SVG…", lambda: self._ask_where("svg"))
        menu.addAction("Copy", self.copy)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.export_button.mapToGlobal(QPoint(0, self.export_button.height() + 4)))

    def _ask_where(self, kind: str) -> None:
        if chart := self.view.chart:
            name = f"{file_stem(chart.title)}.{kind}"
            ask_save_path(self, "Save the chart", name, f"Pictures (*.{kind})", self.save)

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


def _chip(choice: Choice, theme: Theme, parent: QWidget) -> ChoiceChip:
    by_name = {figure.title: figure for figure in choice.figures}
    chip = ChoiceChip(theme, choice.name, by_name, is_order=True, parent=parent)
    chip.choose(choice.figures[choice.first].title)
    chip.setToolTip(choice.name)
    return chip


def _against(chip: ChoiceChip, theme: Theme) -> QWidget:
    """Return `chip` with the word before it that makes a sentence of both axes."""
    held = QWidget()
    row = QHBoxLayout(held)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(TextLabel(theme, "against", role="small", tone="secondary"))
    row.addWidget(chip)
    return held
