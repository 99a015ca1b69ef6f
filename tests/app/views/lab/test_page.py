"""Tests of the Lab page with sample studies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.export import ReportExport
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.table import COLUMN_BY_KEY
from app.viewmodels.lab.time_estimate import default_speeds
from app.views.kit.theme import Theme
from app.views.lab.chart_pane import ChartPane
from app.views.lab.gates_form import GatesForm
from app.views.lab.page import LabPage
from app.views.lab.views import VIEWS
from mlx_engine.folders import Folders
from mlx_engine.measure.figures.sample import sample_key
from mlx_engine.measure.results.messages import FidelityProgress
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import StepFailure, Study
from mlx_engine.models.memory.machine import mac
from tests.app.fake_study_bridge import FakeStudyBridge
from tests.app.outlines import OutlineAnswers, outline
from tests.app.viewmodels.facet import Facet
from tests.app.views.shell.test_window import unnamed_controls
from tests.mlx_engine.measure.charts.studies import FEW, fidelity, study
from tests.scripted_worker import Script

MACHINE = mac(16 * 2**30, "")


@pytest.fixture
def finished_study() -> Study:
    """A study with all results."""
    whole = study(FEW)
    return msgspec.structs.replace(whole, plan=msgspec.structs.replace(whole.plan, name="Whales"), reference_folder="x")


@dataclass(frozen=True)
class LabWindow:
    """The page with its view-model and runner."""

    page: LabPage
    lab: Lab
    runner: FakeStudyBridge


Show = Callable[..., LabWindow]


@pytest.fixture
def show(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Show]:
    """Function that shows the page with saved studies."""
    facet = Facet(tmp_path, Script(answer="")).ready(qtbot)
    folders = Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")
    windows: list[LabWindow] = []

    def show(*studies: Study) -> LabWindow:
        store = StudyStore(folders)
        for saved_study in studies:
            store.save(saved_study)
        runner = FakeStudyBridge()
        lab = Lab(store, runner, default_speeds(has_metal=True), available_bytes=10**10, parent=facet)
        draft = StudyDraft(
            folders,
            facet.library,
            OutlineAnswers(outline()),
            MACHINE,
            speeds=lab.speeds,
            names=lambda: lab.names,
            parent=facet,
        )
        page = LabPage(lab, draft, ReportExport(lab), theme)
        qtbot.addWidget(page)
        page.resize(660, 530)
        page.show()
        windows.append(LabWindow(page, lab, runner))
        return windows[-1]

    yield show
    facet.close()


def test_an_empty_lab_shows_the_welcome(show: Show) -> None:
    """The button opens the setup of a study, and Back returns."""
    page = show().page
    assert page.welcome.isVisible()
    page.welcome.button.click()
    assert page.setup.isVisible()
    page.setup.back.click()
    assert page.welcome.isVisible()


def test_a_study_is_set_up_and_started(show: Show) -> None:
    """The selected recipes and KV caches become its rows."""
    page = show().page
    page.new()
    page.setup.rows["balanced-4bit"].check_box.setChecked(True)
    page.setup.corpus.bits[4].click()
    page.setup.corpus.speed.click()
    page.setup.tray.button.click()
    assert page.view.isVisible()
    names = [line.name for line in page.view.table.order.sorted_lines()]
    assert names[:2] == ["original", "original, 4-bit KV"]
    assert "Balanced 4-bit" in names
    assert page.view.table.isColumnHidden(COLUMN_BY_KEY["decode"])


def test_a_new_study_needs_no_mouse(show: Show, qtbot: QtBot) -> None:
    """Tab moves down the page, Space selects, Return starts, and Escape cancels."""
    page = show().page
    page.new()
    first = page.setup.rows["8bit"].check_box
    for _ in range(10):
        if page.focusWidget() is first:
            break
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
    was_ticked = first.isChecked()
    qtbot.keyClick(first, Qt.Key.Key_Space)
    assert first.isChecked() is not was_ticked
    qtbot.keyClick(first, Qt.Key.Key_Escape)
    assert page.welcome.isVisible()
    page.new()
    qtbot.keyClick(page.setup.name, Qt.Key.Key_Return)
    assert page.view.isVisible()


def test_every_control_has_a_name(show: Show, finished_study: Study) -> None:
    """This includes the study, its views and the setup."""
    page = show(finished_study).page
    seen = unnamed_controls(page)
    for index in range(1, len(VIEWS) + 1):
        page.view.show_view(index)
        seen += unnamed_controls(page)
    page.new()
    assert seen + unnamed_controls(page) == []


@pytest.mark.parametrize("text_size", [100, 200])
def test_it_fits_a_small_window(show: Show, finished_study: Study, theme: Theme, text_size: int) -> None:
    """The page fits next to the sidebar in a window of 900 by 600 pixels."""
    page = show(finished_study).page
    theme.set_text_size(text_size)
    for index in range(len(VIEWS) + 1):
        page.view.show_view(index)
    page.new()
    smallest = page.minimumSizeHint()
    assert smallest.width() <= 660
    assert smallest.height() <= 530


def test_a_double_click_starts_a_chat(show: Show, finished_study: Study, qtbot: QtBot) -> None:
    """Return does the same."""
    page = show(finished_study).page
    table = page.view.table
    with qtbot.waitSignal(page.chat_requested) as signal:
        table.doubleClicked.emit(table.order.index(2, 0))
    assert signal.args == [finished_study.candidates[1].label]
    table.selectRow(1)
    with qtbot.waitSignal(page.chat_requested) as signal:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert signal.args == [finished_study.candidates[0].label]


def test_the_name_stays_visible_while_figures_scroll(show: Show, finished_study: Study) -> None:
    """The left edge of the table looks the same."""
    page = show(finished_study).page
    table = page.view.table
    name = table.visualRect(table.order.index(1, 0)).adjusted(16, 6, -100, -20)
    area = QRect(table.viewport().mapTo(page, name.topLeft()), name.size())
    before = page.grab(area).toImage()
    bar = table.horizontalScrollBar()
    bar.setValue(bar.maximum())
    assert bar.value() > 0
    assert page.grab(area).toImage() == before


def test_a_chart_and_the_table_select_the_same_row(show: Show, finished_study: Study, qtbot: QtBot) -> None:
    """Opening a model in the chart starts a chat."""
    page = show(finished_study).page
    page.resize(1000, 600)
    page.view.show_view(1)
    pane, table, label = page.view.findChild(ChartPane), page.view.table, finished_study.candidates[1].label
    assert table.isVisible()
    plain = pane.grab().toImage()
    pane.chart.activated.emit(sample_key(label, 16))
    assert table.selected_key == sample_key(label, 16)
    assert pane.grab().toImage() != plain
    table.clearSelection()
    assert pane.grab().toImage() == plain
    with qtbot.waitSignal(page.chat_requested) as signal:
        pane.chart.row_opened.emit(label)
    assert signal.args == [label]
    page.resize(660, 530)
    assert not table.isVisible()


def test_the_visibility_of_columns_can_be_restored(show: Show, finished_study: Study, qtbot: QtBot) -> None:
    """The signal has the changes; another table applies them."""
    table, other = show(finished_study).page.view.table, show(finished_study).page.view.table
    menu = table.columns_menu(table)
    with qtbot.waitSignal(table.columns_changed) as signal:
        next(action for action in menu.actions() if action.text() == "p99 KL").trigger()
    assert signal.args == [{"p99_kl": False}]
    other.set_columns(signal.args[0])
    assert table.isColumnHidden(COLUMN_BY_KEY["p99_kl"])
    assert other.isColumnHidden(COLUMN_BY_KEY["p99_kl"])


def test_the_selection_is_copied(show: Show, finished_study: Study) -> None:
    """Without a selection, the whole table is copied."""
    table = show(finished_study).page.view.table
    table.copy()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2 + 4
    table.selectRow(2)
    table.setColumnHidden(COLUMN_BY_KEY["p99_kl"], True)
    table.copy_text(is_csv=True)
    head, only = QGuiApplication.clipboard().text().splitlines()
    assert "p99_kl" not in head
    assert only.startswith("HuggingFaceTB/SmolLM2-135M-Instruct-4-bit,16,")


def test_a_long_failure_is_fully_visible(show: Show, finished_study: Study) -> None:
    """The row grows with the text."""
    rows = list(finished_study.rows)
    failure = StepFailure("fidelity", "Another vocabulary", "Only models with the same tokens can be compared. " * 4)
    rows[2] = msgspec.structs.replace(rows[2], fidelity=(), failures=(failure,))
    page = show(msgspec.structs.replace(finished_study, rows=tuple(rows))).page
    table = page.view.table
    assert table.rowHeight(2) > table.rowHeight(1) + 20
    assert page.view.strip.start.text() == "Try Again"


def test_a_running_study_shows_progress(show: Show, finished_study: Study) -> None:
    """It can be paused and resumed."""
    rows = list(finished_study.rows)
    rows[3] = msgspec.structs.replace(rows[3], fidelity=())
    window = show()
    page, lab = window.page, window.lab
    lab.add(msgspec.structs.replace(finished_study, rows=tuple(rows)))
    page.show_study()
    window.runner.emit_event(FidelityProgress(id="", done=3, total=8, so_far=fidelity(0.5, 0.3)))
    assert page.view.strip.stop.isVisible()
    assert page.view.table.order.index(3, COLUMN_BY_KEY["mean_kl"]).data().startswith("0.5")
    page.view.strip.stop.click()
    assert page.view.strip.start.text() == "Resume"


def test_limits_select_the_best_model(show: Show, finished_study: Study, theme: Theme) -> None:
    """The form returns its initial limits if nothing is changed."""
    gates = Gates(max_mean_kl=0.05, min_top1_agreement=0.8, max_memory_bytes=8 * 2**30, prefer="smallest")
    form = GatesForm(gates, theme)
    assert form.gates() == gates
    window = show(finished_study)
    form.gates_changed.connect(window.lab.set_gates)
    form.gates_changed.emit(form.gates())
    assert window.page.view.strip.best.text().startswith("Best within limits: ")


def test_limits_are_exact(theme: Theme) -> None:
    """The form neither rounds a limit of the plan nor one that the user types."""
    gates = Gates(max_mean_kl=0.0125, min_top1_agreement=0.8765, max_size_bytes=8_589_934_592)
    form = GatesForm(gates, theme)
    assert form.gates() == gates
    form.folder.setValue(form.folder.valueFromText("8.25 GB"))
    assert form.folder.text() == "8.25 GB"
    assert form.gates().max_size_bytes == 8_250_000_000


def test_the_menu_of_a_row_removes_it(show: Show, finished_study: Study) -> None:
    """The original cannot be removed."""
    page = show(finished_study).page
    table = page.view.table

    def menu(row: int) -> dict[str, object]:
        table.menu_requested.emit(table.table.lines[row], QPoint(0, 0))
        row_menu = page.view.findChildren(QMenu)[-1]
        return {action.text(): action for action in row_menu.actions()}

    assert not menu(0)["Remove from Study"].isEnabled()
    menu(1)["Remove from Study"].trigger()
    assert [line.name for line in table.table.lines] == ["original", "4-bit", "2-bit"]


def test_the_menu_opens_a_study(show: Show, finished_study: Study) -> None:
    other = msgspec.structs.replace(
        finished_study, plan=msgspec.structs.replace(finished_study.plan, name="Dolphins"), created="2030"
    )
    page = show(finished_study, other).page
    menu = page.view.heading.studies.menu()
    assert [action.text() for action in menu.actions()] == ["Dolphins", "Whales"]
    menu.actions()[1].trigger()
    assert page.view.heading.studies.text() == "Whales"


def test_a_study_can_be_duplicated(show: Show) -> None:
    page = show().page
    page.new()
    page.setup.corpus.whole.click()
    page.setup.tray.button.click()
    page.duplicate()
    assert page.setup.corpus.whole.isChecked()
    assert page.setup.name.text() == "Beta 2"
