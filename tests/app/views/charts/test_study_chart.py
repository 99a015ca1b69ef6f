"""Behaviour of the charts of a study in the window."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.views.charts.bars_chart import BarsChart
from app.views.charts.distribution_chart import DistributionChart
from app.views.charts.export import file_stem
from app.views.charts.kinds_chart import KindsChart
from app.views.charts.pareto_chart import ParetoChart
from app.views.charts.study_chart import StudyChart
from app.views.kit.theme import Theme
from mlx_engine.measure.charts.pareto import Pareto
from mlx_engine.measure.charts.scene import Point
from mlx_engine.measure.figures.figures import PEAK_MEMORY, PERPLEXITY
from mlx_engine.measure.figures.sample import sample_key
from tests.mlx_engine.measure.charts.studies import FEW, fidelity, study

Make = Callable[[Theme, QWidget | None], StudyChart]
EVERY: list[Make] = [ParetoChart, BarsChart, KindsChart, DistributionChart]


@pytest.fixture
def show(theme: Theme, qtbot: QtBot) -> Callable[[Make], StudyChart]:
    """Show a chart with results."""

    def show(make: Make) -> StudyChart:
        chart = make(theme, None)
        qtbot.addWidget(chart)
        chart.resize(760, 520)
        chart.show()
        chart.show_study(study(FEW))
        return chart

    return show


@pytest.fixture
def pareto(show: Callable[[Make], StudyChart]) -> ParetoChart:
    chart = show(ParetoChart)
    assert isinstance(chart, ParetoChart)
    return chart


def _place(chart: StudyChart, name: str) -> QPoint:
    """Return where the first mark of that name is."""
    target = next(target for target in chart.view.scene.targets if target.text.startswith(name))
    point = target.area.middle
    return (QPointF(point.x, point.y) + QPointF(6, 6)).toPoint()


@pytest.mark.parametrize("make", EVERY)
def test_pointing_at_a_mark_tells_its_figures_and_a_click_takes_its_row(
    make: Make, show: Callable[[Make], StudyChart], qtbot: QtBot
) -> None:
    """Away from all marks there is no card."""
    chart = show(make)
    place = _place(chart, "4-bit")
    qtbot.mouseMove(chart.view, place)
    qtbot.waitUntil(chart.view.card.isVisible)
    assert "4-bit" in chart.view.card.shown.title
    assert chart.rect().contains(chart.view.card.geometry())
    with qtbot.waitSignal(chart.activated) as activated:
        qtbot.mouseClick(chart.view, Qt.MouseButton.LeftButton, pos=place)
    assert activated.args == [sample_key(study(FEW).rows[2].label, 16)]
    qtbot.mouseMove(chart.view, QPoint(2, chart.view.height() - 2))
    qtbot.waitUntil(lambda: not chart.view.card.isVisible())


@pytest.mark.parametrize("text_size", [100, 200])
@pytest.mark.parametrize("make", EVERY)
def test_the_card_never_covers_its_mark(
    make: Make, text_size: int, show: Callable[[Make], StudyChart], theme: Theme, qtbot: QtBot
) -> None:
    """In a narrow window with large text it says less instead."""
    theme.set_text_size(text_size)
    chart = show(make)
    chart.resize(620, 480)
    for target in chart.view.scene.targets:
        end = target.area.middle if make is not BarsChart else target.area.nearest(Point(10_000, target.area.middle.y))
        qtbot.mouseMove(chart.view, (QPointF(end.x, end.y) + QPointF(5, 6)).toPoint())
        qtbot.waitUntil(lambda target=target: chart.view.pointed == target)
        assert chart.rect().contains(chart.view.card.geometry())
        mark = chart.view.mapTo(chart, (QPointF(end.x, end.y) + QPointF(6, 6)).toPoint())
        assert not chart.view.card.geometry().contains(mark)


def test_the_card_has_all_figures_where_the_chart_alone_has_no_room(theme: Theme, qtbot: QtBot) -> None:
    """It may lie over what is beside the chart, and goes with it."""
    window = QWidget()
    qtbot.addWidget(window)
    chart = ParetoChart(theme, window)
    window.resize(900, 560)
    chart.setGeometry(500, 0, 400, 560)
    window.show()
    chart.show_study(study(FEW))
    qtbot.mouseMove(chart.view, _place(chart, "4-bit"))
    qtbot.waitUntil(chart.view.card.isVisible)
    assert dict(chart.view.card.shown.lines)["Perplexity"] == "14.57 ± 0.40"
    assert chart.view.card.geometry().left() < 500
    chart.hide()
    assert not chart.view.card.isVisible()


def test_the_arrow_keys_go_from_mark_to_mark(pareto: ParetoChart, qtbot: QtBot) -> None:
    """Right is the next larger, left the one before; Enter takes it, Escape leaves."""
    pareto.view.setFocus()
    names = []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right):
        qtbot.keyClick(pareto.view, key)
        assert pareto.view.pointed
        names.append(pareto.view.pointed.text.partition(":")[0])
    assert names == ["original", "8-bit", "4-bit", "2-bit", "4-bit"]
    with qtbot.waitSignal(pareto.row_opened) as activated:
        qtbot.keyClick(pareto.view, Qt.Key.Key_Return)
    assert activated.args == [study(FEW).rows[2].label]
    qtbot.keyClick(pareto.view, Qt.Key.Key_Escape)
    assert pareto.view.pointed is None


def test_the_axes_can_be_chosen(pareto: ParetoChart) -> None:
    """What is shown at once is the chart of both."""
    for chip, name in zip(pareto.chips, (PERPLEXITY.title, PEAK_MEMORY.title), strict=True):
        next(action for action in chip.menu().actions() if action.text() == name).trigger()
    pareto.show_memory(200_000_000)
    chart = pareto.view.chart
    assert isinstance(chart, Pareto)
    assert (chart.up, chart.across, chart.memory_bytes) == (PERPLEXITY, PEAK_MEMORY, 200_000_000)


def test_results_come_while_one_is_pointed_at(pareto: ParetoChart, qtbot: QtBot) -> None:
    """The mark moves, and stays the one."""
    qtbot.mouseMove(pareto.view, _place(pareto, "4-bit"))
    qtbot.waitUntil(lambda: pareto.view.pointed is not None)
    pareto.show_study(study((*FEW, ("6-bit", 6.5, 0.005, 0.05, 170.0))))
    assert pareto.view.pointed
    assert pareto.view.pointed.text.startswith("4-bit")
    assert pareto.view.pointed in pareto.view.scene.targets


def test_the_row_that_is_selected_elsewhere_is_marked(pareto: ParetoChart) -> None:
    """As in the table."""
    before = pareto.view.grab().toImage()
    pareto.select(sample_key(study(FEW).rows[2].label, 16))
    marked = pareto.view.grab().toImage()
    assert marked != before
    pareto.select("")
    assert pareto.view.grab().toImage() == before


@pytest.mark.parametrize("make", EVERY)
def test_a_chart_is_read_out(make: Make, show: Callable[[Make], StudyChart]) -> None:
    """Its title, and every candidate with its figure."""
    chart = show(make)
    interface = QAccessible.queryAccessibleInterface(chart.view)
    assert interface.text(QAccessible.Text.Name).startswith("SmolLM2-135M-Instruct: ")
    description = interface.text(QAccessible.Text.Description)
    assert all(re.search(rf"\b{name}\b", description) for name, *_ in FEW)


@pytest.mark.parametrize("make", EVERY)
def test_a_picture_is_light_and_sharp_whatever_the_window_is(
    make: Make, show: Callable[[Make], StudyChart], theme: Theme, tmp_path: Path
) -> None:
    """Two pixels for one, on white, with the text size of a page."""
    chart = show(make)
    chart.save(tmp_path / "light.png")
    theme.set_appearance("dark")
    theme.set_text_size(200)
    chart.save(tmp_path / "dark.png")
    light, dark = QImage(str(tmp_path / "light.png")), QImage(str(tmp_path / "dark.png"))
    assert light.width() == 1920
    assert light.pixelColor(0, 0).name() == "#ffffff"
    assert light == dark


def test_a_vector_file_is_written_and_the_picture_copied(pareto: ParetoChart, tmp_path: Path) -> None:
    pareto.save(tmp_path / "chart.svg")
    assert "4-bit" in (tmp_path / "chart.svg").read_text(encoding="utf-8")
    pareto.copy()
    assert QGuiApplication.clipboard().image().width() == 1920


@pytest.mark.parametrize("name", ["chart.png", "chart.svg"])
def test_a_file_that_cannot_be_written_is_told_in_a_sentence(
    name: str, pareto: ParetoChart, tmp_path: Path, qtbot: QtBot
) -> None:
    """The folder was taken away while the dialog was open."""
    with qtbot.waitSignal(pareto.failed) as failed:
        pareto.save(tmp_path / "gone" / name)
    assert failed.args == [
        "The chart could not be saved",
        f"There is no folder {tmp_path / 'gone'}. Make it, or choose another.",
    ]


def test_a_file_has_a_name_that_every_disk_takes() -> None:
    assert file_stem("a/b: mean KL against size") == "a-b-mean-KL-against-size"
    assert len(file_stem("x" * 300)) < 120
    assert file_stem("???") == "chart"


def test_marks_in_the_same_place_can_all_be_reached(show: Callable[[Make], StudyChart], qtbot: QtBot) -> None:
    """By clicking again, and by the arrow keys; the card names the others."""
    chart = show(ParetoChart)
    rows = tuple((name, 4.5, 0.041, 0.14, 210.0) for name in ("one", "two", "three"))
    chart.show_study(study(rows))
    chart.activated.connect(chart.select)
    seen = []
    for _ in range(4):
        with qtbot.waitSignal(chart.activated) as activated:
            qtbot.mouseClick(chart.view, Qt.MouseButton.LeftButton, pos=_place(chart, "one"))
        seen.append(activated.args[0].removesuffix(" 16").rpartition("-")[2])
    assert seen[0] == seen[3]
    assert set(seen) == {"one", "two", "three"}
    chart.view._point_at(chart.view.scene.targets[1])
    assert chart.view.card.shown.sentences.endswith("In the same place: two, three.")
    chart.view.setFocus()
    for name in ("two", "three"):
        qtbot.keyClick(chart.view, Qt.Key.Key_Right)
        assert chart.view.pointed.name == name


def test_how_to_read_a_chart_stands_below_it(pareto: ParetoChart) -> None:
    """How it was measured can be asked for; where nothing is shown, nothing is explained."""
    assert "one standard error" in pareto.reading.text()
    assert "chunks of 512 tokens" in pareto.reading.toolTip()
    found = study(FEW)
    pareto.show_study(msgspec.structs.replace(found, rows=(found.original,)))
    assert not pareto.reading.isVisible()


def test_nothing_is_exported_before_something_is_measured(pareto: ParetoChart) -> None:
    found = study(FEW)
    assert pareto.export_button.isEnabled()
    pareto.show_study(msgspec.structs.replace(found, rows=(found.original,)))
    assert not pareto.export_button.isEnabled()


def test_each_precision_of_the_context_is_chosen_by_itself(show: Callable[[Make], StudyChart], qtbot: QtBot) -> None:
    """A click takes its line of the table, not the model's first."""
    chart, found = show(ParetoChart), study(FEW)
    four = msgspec.structs.replace(found.rows[2].fidelity[0], cache_bits=4, fidelity=fidelity(2.0, 0.7))
    row = msgspec.structs.replace(found.rows[2], fidelity=(*found.rows[2].fidelity, four))
    chart.show_study(msgspec.structs.replace(found, rows=(*found.rows[:2], row)))
    with qtbot.waitSignal(chart.activated) as activated:
        qtbot.mouseClick(chart.view, Qt.MouseButton.LeftButton, pos=_place(chart, "4-bit, 4-bit KV"))
    assert activated.args == [sample_key(row.label, 4)]
