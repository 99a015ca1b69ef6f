"""A figure is declared once: an entry of `FIGURES` shows up in the table, the charts, the reports and the terminal."""

import csv
import html as entities
import io

import pytest
from PySide6.QtCore import Qt

from app.viewmodels.lab.chart_card import cards
from app.viewmodels.lab.table import COLUMN_BY_KEY, StudyTableModel
from mlx_engine.cli.views import study as terminal
from mlx_engine.measure.charts.pareto import ACROSS, UP, pareto
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import CHART_FIGURES, FIGURES
from mlx_engine.measure.figures.format import columns
from mlx_engine.measure.figures.sample import samples
from mlx_engine.measure.report.data import table as csv_report
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.markdown import markdown
from mlx_engine.measure.report.subject import Subject
from tests.mlx_engine.measure.charts.studies import FEW, study

every_figure = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)


def _heading(figure: Figure) -> str:
    """Return the heading of a figure in every table of the study."""
    (column,) = columns(samples(study(FEW)), (figure,))
    return column.heading


@every_figure
def test_the_window_has_every_figure(figure: Figure, qapp: object) -> None:
    """With its meaning as a tooltip."""
    table = StudyTableModel()
    column = COLUMN_BY_KEY[figure.key]
    assert table.headerData(column, Qt.Orientation.Horizontal).startswith(figure.title)
    assert table.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) == figure.meaning


@pytest.mark.parametrize("figure", CHART_FIGURES, ids=lambda figure: figure.key)
def test_charts_have_every_figure_as_an_axis(figure: Figure) -> None:
    """With every candidate."""
    assert figure in (*ACROSS, *UP)
    chart = pareto(study(FEW), figure) if figure in ACROSS else pareto(study(FEW), up=figure)
    assert figure.title_in_sentence in chart.title
    assert {mark.name for mark in chart.marks} >= {"8-bit", "4-bit", "2-bit"}


@pytest.mark.parametrize("figure", CHART_FIGURES, ids=lambda figure: figure.key)
def test_the_tooltip_of_a_chart_has_every_figure(figure: Figure) -> None:
    *_, card = cards(study(FEW)).values()
    assert figure.title in dict(card.lines)


@every_figure
def test_reports_have_every_figure(figure: Figure) -> None:
    """The web page, Markdown, and CSV by its key."""
    subject = Subject(study(FEW))
    page = entities.unescape(html(subject))
    assert _heading(figure) in page
    assert figure.meaning in page
    assert f"| {_heading(figure)} |" in markdown(subject)
    assert next(csv.DictReader(io.StringIO(csv_report(subject))))[figure.key] is not None


@every_figure
def test_the_terminal_has_every_figure(figure: Figure) -> None:
    """Headings may wrap."""
    head, _, _ = terminal.table(study(FEW)).partition("original")
    assert set(_heading(figure).split()) <= set(head.split())


def test_charts_have_the_figures_of_tables() -> None:
    """In the same order, with top-1 disagreement instead of agreement."""
    assert [(table, chart) for table, chart in zip(FIGURES, CHART_FIGURES, strict=True) if table is not chart] == [
        (figure, chart) for figure, chart in zip(FIGURES, CHART_FIGURES, strict=True) if figure.key == "top1_agreement"
    ]
