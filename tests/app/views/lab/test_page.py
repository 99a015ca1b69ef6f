"""The page of the Lab on made-up studies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.viewmodels.lab.draft import LabDraft
from app.viewmodels.lab.export import LabExport
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import LabShelf
from app.viewmodels.lab.table import COLUMN_BY_KEY
from app.viewmodels.lab.time_estimate import guess
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
from tests.app.given_runner import GivenRunner
from tests.app.outlines import OutlineAnswers, outline
from tests.app.viewmodels.facet import Facet
from tests.app.views.shell.test_window import unnamed_controls
from tests.mlx_engine.measure.charts.studies import FEW, fidelity, study
from tests.scripted_worker import Script

MACHINE = mac(16 * 2**30, "")


@pytest.fixture
def found() -> Study:
    """A study that is at its end."""
    whole = study(FEW)
    return msgspec.structs.replace(whole, plan=msgspec.structs.replace(whole.plan, name="Whales"), reference_folder="x")


@dataclass(frozen=True)
class Shown:
    """The page, and what is behind it."""

    page: LabPage
    lab: Lab
    runner: GivenRunner


Show = Callable[..., Shown]


@pytest.fixture
def show(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Show]:
    """Show the page with these studies on the disk."""
    facet = Facet(tmp_path, Script(answer="")).ready(qtbot)
    folders = Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")
    kept: list[Shown] = []

    def show(*studies: Study) -> Shown:
        shelf = LabShelf(folders)
        for one in studies:
            shelf.keep(one)
        runner = GivenRunner()
        lab = Lab(shelf, runner, guess(has_metal=True), available_bytes=10**10, parent=facet)
        draft = LabDraft(
            folders,
            facet.library,
            OutlineAnswers(outline()),
            MACHINE,
            pace=lab.pace,
            names=lambda: lab.names,
            parent=facet,
        )
        page = LabPage(lab, draft, LabExport(lab), theme)
        qtbot.addWidget(page)
        page.resize(660, 530)
        page.show()
        kept.append(Shown(page, lab, runner))
        return kept[-1]

    yield show
    facet.close()


def test_an_empty_lab_says_what_it_is_for(show: Show) -> None:
    """The button leads to a new study, and the way back to where it was."""
    page = show().page
    assert page.welcome.isVisible()
    page.welcome.button.click()
    assert page.setup.isVisible()
    page.setup.back.click()
    assert page.welcome.isVisible()


def test_a_study_is_put_together_and_started(show: Show) -> None:
    """What is ticked becomes its rows."""
    page = show().page
    page.new()
    page.setup.rows["balanced-4bit"].check_box.setChecked(True)
    page.setup.corpus.bits[4].click()
    page.setup.corpus.speed.click()
    page.setup.tray.button.click()
    assert page.view.isVisible()
    names = [line.name for line in page.view.table.order.shown()]
    assert names[:2] == ["original", "original, 4-bit KV"]
    assert "Balanced 4-bit" in names
    assert page.view.table.isColumnHidden(COLUMN_BY_KEY["decode"])


def test_a_new_study_needs_no_mouse(show: Show, qtbot: QtBot) -> None:
    """Tab goes down the page, Space ticks, Return starts, and Escape gives up."""
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


def test_every_control_has_a_name(show: Show, found: Study) -> None:
    """In the study, in each of its views, in a new one and in the form of limits."""
    page = show(found).page
    seen = unnamed_controls(page)
    for place in range(1, len(VIEWS) + 1):
        page.view.show_view(place)
        seen += unnamed_controls(page)
    page.new()
    assert seen + unnamed_controls(page) == []


@pytest.mark.parametrize("text_size", [100, 200])
def test_it_fits_a_small_window(show: Show, found: Study, theme: Theme, text_size: int) -> None:
    """Of 900 by 600 pixels, beside the sidebar."""
    page = show(found).page
    theme.set_text_size(text_size)
    for place in range(len(VIEWS) + 1):
        page.view.show_view(place)
    page.new()
    smallest = page.minimumSizeHint()
    assert smallest.width() <= 660
    assert smallest.height() <= 530


def test_a_double_click_begins_a_chat(show: Show, found: Study, qtbot: QtBot) -> None:
    """So does Return."""
    page = show(found).page
    table = page.view.table
    with qtbot.waitSignal(page.chat_requested) as asked:
        table.doubleClicked.emit(table.order.index(2, 0))
    assert asked.args == [found.candidates[1].label]
    table.selectRow(1)
    with qtbot.waitSignal(page.chat_requested) as asked:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert asked.args == [found.candidates[0].label]


def test_a_name_stays_in_sight_while_figures_are_scrolled(show: Show, found: Study) -> None:
    """The left edge of the table looks the same."""
    page = show(found).page
    table = page.view.table
    name = table.visualRect(table.order.index(1, 0)).adjusted(16, 6, -100, -20)
    place = QRect(table.viewport().mapTo(page, name.topLeft()), name.size())
    before = page.grab(place).toImage()
    bar = table.horizontalScrollBar()
    bar.setValue(bar.maximum())
    assert bar.value() > 0
    assert page.grab(place).toImage() == before


def test_a_chart_and_the_table_beside_it_mark_the_same_row(show: Show, found: Study, qtbot: QtBot) -> None:
    """Both ways; what is opened in the chart begins a chat."""
    page = show(found).page
    page.resize(1000, 600)
    page.view.show_view(1)
    pane, table, label = page.view.findChild(ChartPane), page.view.table, found.candidates[1].label
    assert table.isVisible()
    plain = pane.grab().toImage()
    pane.chart.activated.emit(sample_key(label, 16))
    assert table.selected_key == sample_key(label, 16)
    assert pane.grab().toImage() != plain
    table.clearSelection()
    assert pane.grab().toImage() == plain
    with qtbot.waitSignal(page.chat_requested) as asked:
        pane.chart.row_opened.emit(label)
    assert asked.args == [label]
    page.resize(660, 530)
    assert not table.isVisible()


def test_the_choice_of_columns_is_told(show: Show, found: Study, qtbot: QtBot) -> None:
    """So that it can be kept; a table that takes it looks the same."""
    table, other = show(found).page.view.table, show(found).page.view.table
    menu = table.columns_menu(table)
    with qtbot.waitSignal(table.columns_changed) as told:
        next(action for action in menu.actions() if action.text() == "p99 KL").trigger()
    assert told.args == [{"p99_kl": False}]
    other.set_columns(told.args[0])
    assert table.isColumnHidden(COLUMN_BY_KEY["p99_kl"])
    assert other.isColumnHidden(COLUMN_BY_KEY["p99_kl"])


def test_the_selection_is_copied(show: Show, found: Study) -> None:
    """Without one, the whole table."""
    table = show(found).page.view.table
    table.copy()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 2 + 4
    table.selectRow(2)
    table.setColumnHidden(COLUMN_BY_KEY["p99_kl"], True)
    table.copy_text(is_csv=True)
    head, only = QGuiApplication.clipboard().text().splitlines()
    assert "p99_kl" not in head
    assert only.startswith("HuggingFaceTB/SmolLM2-135M-Instruct-4-bit,16,")


def test_a_long_failure_is_read_to_its_end(show: Show, found: Study) -> None:
    """The row is as high as the sentence needs."""
    rows = list(found.rows)
    failure = StepFailure("fidelity", "Another vocabulary", "Only models with the same tokens can be compared. " * 4)
    rows[2] = msgspec.structs.replace(rows[2], fidelity=(), failures=(failure,))
    page = show(msgspec.structs.replace(found, rows=tuple(rows))).page
    table = page.view.table
    assert table.rowHeight(2) > table.rowHeight(1) + 20
    assert page.view.strip.start.text() == "Try again"


def test_a_running_study_says_how_far_it_is(show: Show, found: Study) -> None:
    """And can be stopped."""
    rows = list(found.rows)
    rows[3] = msgspec.structs.replace(rows[3], fidelity=())
    shown = show()
    page, lab = shown.page, shown.lab
    lab.begin(msgspec.structs.replace(found, rows=tuple(rows)))
    page.show_study()
    shown.runner.tell(FidelityProgress(id="", done=3, total=8, so_far=fidelity(0.5, 0.3)))
    assert page.view.strip.stop.isVisible()
    assert page.view.table.order.index(3, COLUMN_BY_KEY["mean_kl"]).data().startswith("0.5")
    page.view.strip.stop.click()
    assert page.view.strip.start.text() == "Resume"


def test_limits_name_a_winner(show: Show, found: Study, theme: Theme) -> None:
    """The form gives back what it was given."""
    gates = Gates(max_mean_kl=0.05, min_top1_agreement=0.8, max_memory_bytes=8 * 2**30, prefer="smallest")
    form = GatesForm(gates, theme)
    assert form.gates() == gates
    shown = show(found)
    form.gates_changed.connect(shown.lab.set_gates)
    form.gates_changed.emit(form.gates())
    assert "wins" in shown.page.view.strip.winner.text()


def test_the_menu_of_a_row_removes_it(show: Show, found: Study) -> None:
    """The original cannot be taken out of its study."""
    page = show(found).page
    table = page.view.table

    def menu(row: int) -> dict[str, object]:
        table.menu_requested.emit(table.table.lines[row], QPoint(0, 0))
        shown = page.view.findChildren(QMenu)[-1]
        return {action.text(): action for action in shown.actions()}

    assert not menu(0)["Remove from the Study"].isEnabled()
    menu(1)["Remove from the Study"].trigger()
    assert [line.name for line in table.table.lines] == ["original", "4-bit", "2-bit"]


def test_a_study_is_shown_by_its_name_in_the_menu(show: Show, found: Study) -> None:
    other = msgspec.structs.replace(found, plan=msgspec.structs.replace(found.plan, name="Dolphins"), created="2030")
    page = show(found, other).page
    menu = page.view.heading.studies.menu()
    assert [action.text() for action in menu.actions()] == ["Dolphins", "Whales"]
    menu.actions()[1].trigger()
    assert page.view.heading.studies.text() == "Whales"


def test_a_new_study_takes_up_the_plan_of_another(show: Show) -> None:
    page = show().page
    page.new()
    page.setup.corpus.whole.click()
    page.setup.tray.button.click()
    page.duplicate()
    assert page.setup.corpus.whole.isChecked()
    assert page.setup.name.text() == "Beta 2"
