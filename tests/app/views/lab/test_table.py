"""Tests of the table of a study."""

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.table import COLUMN_BY_KEY
from app.viewmodels.lab.time_estimate import default_speeds
from app.views.kit.theme import Theme
from app.views.lab.figure_alignment import figure_slots, split_figure
from app.views.lab.table import StudyTable
from mlx_engine.folders import Folders
from mlx_engine.measure.figures.sample import sample_key
from mlx_engine.measure.results.messages import FidelityProgress
from mlx_engine.measure.study.study import Study
from tests.app.fake_study_bridge import FakeStudyBridge
from tests.mlx_engine.measure.charts.studies import NINE, fidelity, study


@pytest.fixture
def unfinished_study() -> Study:
    """A study whose last row is not measured yet."""
    whole = study(NINE)
    rows = (*whole.rows[:-1], msgspec.structs.replace(whole.rows[-1], fidelity=()))
    return msgspec.structs.replace(whole, rows=rows, reference_folder="x")


@pytest.fixture
def runner() -> FakeStudyBridge:
    return FakeStudyBridge()


@pytest.fixture
def lab(unfinished_study: Study, runner: FakeStudyBridge, tmp_path: Path) -> Lab:
    store = StudyStore(Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs"))
    store.save(unfinished_study)
    return Lab(store, runner, default_speeds(has_metal=True), available_bytes=10**10)


@pytest.fixture
def table(lab: Lab, theme: Theme, qtbot: QtBot) -> StudyTable:
    table = StudyTable(lab, theme)
    qtbot.addWidget(table)
    table.resize(640, 260)
    table.show()
    return table


def test_new_figures_do_not_change_the_view(table: StudyTable, lab: Lab, runner: FakeStudyBridge) -> None:
    """Selection, sort order and scroll position stay while a study runs."""
    lab.resume()
    table.sortByColumn(COLUMN_BY_KEY["mean_kl"], Qt.SortOrder.DescendingOrder)
    table.select(sample_key(lab.study.rows[2].label, 16))
    table.verticalScrollBar().setValue(40)
    table.horizontalScrollBar().setValue(60)
    runner.emit_event(FidelityProgress(id="", done=1, total=8, so_far=fidelity(9.0, 0.9)))
    assert table.order.sorted_lines()[1].is_preliminary
    assert table.selected_key == sample_key(lab.study.rows[2].label, 16)
    assert (table.verticalScrollBar().value(), table.horizontalScrollBar().value()) == (40, 60)
    assert table.horizontalHeader().sortIndicatorSection() == COLUMN_BY_KEY["mean_kl"]


def test_removing_a_row_keeps_the_selection(table: StudyTable, lab: Lab, unfinished_study: Study) -> None:
    table.select(sample_key(unfinished_study.rows[2].label, 16))
    lab.remove_row(unfinished_study.rows[1].label)
    assert table.selected_key == sample_key(unfinished_study.rows[2].label, 16)


def test_it_can_be_sorted_without_a_mouse(table: StudyTable) -> None:
    """Selecting the same order again reverses it; the first entry is the order of the study."""

    def sort(title: str) -> list[str]:
        orders = table.columns_menu(table).actions()[-1].menu().actions()
        next(action for action in orders if action.text() == title).trigger()
        return [line.name for line in table.order.sorted_lines()[1:]]

    before = [line.name for line in table.order.sorted_lines()[1:]]
    assert sort("Size")[0] == "2-bit"
    assert sort("Size")[0] == "8-bit"
    assert sort("As in the Study") == before


def test_figures_are_aligned_at_the_decimal_point_and_at_the_error(theme: Theme) -> None:
    """The number of digits does not matter."""
    assert split_figure("1,024.5* ± 0.25") == ("1,024", ".5*", " ± ", "0", ".25")
    assert split_figure("120*") == ("120", "*", "", "", "")
    font = theme.font("label", tabular=True)
    slots = figure_slots(["0.00110 ± 0.00006", "21.5", "1.64 ± 12.1"], font)
    assert slots.left_edge("21.5", 300) == slots.left_edge("1.64 ± 12.1", 300)
    assert slots.width > figure_slots(["0.00110 ± 0.00006"], font).width


def test_a_clipped_figure_is_not_painted(table: StudyTable) -> None:
    """At the right edge it would look like another figure."""
    column = next(number for number in range(1, 20) if table.columnViewportPosition(number + 1) > 640)
    area = table.visualRect(table.order.index(1, column)).intersected(table.viewport().rect())
    area.setTop(area.top() + 7)
    area.setHeight(16)
    image = table.viewport().grab(area).toImage()
    assert len({image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}) == 1
