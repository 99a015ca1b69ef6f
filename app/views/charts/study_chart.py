"""A chart of a study, with choices of its figures and an export button."""

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
class FigureChoice:
    """A menu of figures with a label; the figure at index `first` is the default."""

    name: str
    figures: Sequence[Figure]
    first: int = 0


class StudyChart(QWidget):
    """Shows the chart that `draw` returns for a study and the selection of each of the `choices`."""

    activated = Signal(str)  # the key of a sample
    row_opened = Signal(str)  # the label of a row
    failed = Signal(str, str)  # title, message

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        draw: Callable[..., Chart],
        choices: Sequence[FigureChoice] = (),
    ) -> None:
        super().__init__(parent)
        self._theme, self._draw = theme, draw
        self._study: Study | None = None
        self.chips = [_chip(choice, theme, self) for choice in choices]
        self.view = ChartView(theme)
        self.reading = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.export_button = SmallButton(theme, "Export", "Save or copy the chart as an image")
        self.export_button.setEnabled(False)
        self._lay_out(theme)
        for chip in self.chips:
            chip.value_changed.connect(self._refresh)
        self.export_button.clicked.connect(self._show_export_menu)
        self.view.activated.connect(self.activated)
        self.view.row_opened.connect(self.row_opened)

    def _lay_out(self, theme: Theme) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(Flow([*self.chips[:1], *(_with_versus(chip, theme) for chip in self.chips[1:])]), 1)
        head.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addWidget(self.reading)

    def show_study(self, study: Study) -> None:
        """Show the results so far; cheap enough to call for each new figure."""
        self._study = study
        self._refresh()

    def select(self, key: str) -> None:
        """Mark the sample with this key."""
        self.view.select(key)

    def _refresh(self) -> None:
        if self._study:
            chart = self._draw(self._study, *(chip.value for chip in self.chips))
            self.view.show_chart(chart, cards(self._study))
            has_marks = bool(self.view.scene.targets)
            self.export_button.setEnabled(has_marks)
            self.reading.setText(chart.reading)
            self.reading.setToolTip(plain(chart.method))
            self.reading.setVisible(has_marks and bool(chart.reading))

    def _show_export_menu(self) -> None:
        menu = QMenu(self)
        menu.addAction("Save as PNG…", lambda: self._save_as("png"))
        menu.addAction("Save as SVG…", lambda: self._save_as("svg"))
        menu.addAction("Copy", self.copy)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.export_button.mapToGlobal(QPoint(0, self.export_button.height() + 4)))

    def _save_as(self, kind: str) -> None:
        if chart := self.view.chart:
            name = f"{file_stem(chart.title)}.{kind}"
            ask_save_path(self, "Save Chart", name, f"Images (*.{kind})", self.save)

    def save(self, path: Path) -> None:
        """Write the chart to `path`; errors are emitted by `failed`."""
        if chart := self.view.chart:
            try:
                write(chart, path, self._theme.font("small", tabular=True))
            except FacetError as error:
                self.failed.emit("Couldn't save the chart", error.message)

    def copy(self) -> None:
        """Copy the chart as an image."""
        if chart := self.view.chart:
            QGuiApplication.clipboard().setImage(picture(chart, self._theme.font("small", tabular=True)))


def _chip(choice: FigureChoice, theme: Theme, parent: QWidget) -> ChoiceChip:
    by_name = {figure.title: figure for figure in choice.figures}
    chip = ChoiceChip(theme, choice.name, by_name, is_order=True, parent=parent)
    chip.choose(choice.figures[choice.first].title)
    chip.setToolTip(choice.name)
    return chip


def _with_versus(chip: ChoiceChip, theme: Theme) -> QWidget:
    """Return `chip` preceded by "vs.", so that both axes read as a phrase."""
    container = QWidget()
    row = QHBoxLayout(container)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(TextLabel(theme, "vs.", role="small", tone="secondary"))
    row.addWidget(chip)
    return container
