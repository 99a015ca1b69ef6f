"""Tests of the charts of a study."""

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
    """Return a function that shows a chart with results."""

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


def _position(chart: StudyChart, name: str) -> QPoint:
    """Return the position of the first mark of this name."""
    target = next(target for target in chart.view.scene.targets if target.text.startswith(name))
    point = target.area.middle
    return (QPointF(point.x, point.y) + QPointF(6, 6)).toPoint()


@pytest.mark.parametrize("make", EVERY)
def test_pointing_at_a_mark_shows_its_figures_and_a_click_activates_it(
    make: Make, show: Callable[[Make], StudyChart], qtbot: QtBot
) -> None:
    """Away from marks, the card is hidden."""
    chart = show(make)
    position = _position(chart, "4-bit")
    qtbot.mouseMove(chart.view, position)
    qtbot.waitUntil(chart.view.card.isVisible)
    assert "4-bit" in chart.view.card.card.title
    assert chart.rect().contains(chart.view.card.geometry())
    with qtbot.waitSignal(chart.activated) as activated:
        qtbot.mouseClick(chart.view, Qt.MouseButton.LeftButton, pos=position)
    assert activated.args == [sample_key(study(FEW).rows[2].label, 16)]
    qtbot.mouseMove(chart.view, QPoint(2, chart.view.height() - 2))
    qtbot.waitUntil(lambda: not chart.view.card.isVisible())


@pytest.mark.parametrize("text_size", [100, 200])
@pytest.mark.parametrize("make", EVERY)
def test_the_card_never_covers_its_mark(
    make: Make, text_size: int, show: Callable[[Make], StudyChart], theme: Theme, qtbot: QtBot
) -> None:
    """In a narrow window with large text, it shows less."""
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


def test_the_card_can_extend_beyond_the_chart(theme: Theme, qtbot: QtBot) -> None:
    """It covers neighbors of the chart, and is hidden with it."""
    window = QWidget()
    qtbot.addWidget(window)
    chart = ParetoChart(theme, window)
    window.resize(900, 560)
    chart.setGeometry(500, 0, 400, 560)
    window.show()
    chart.show_study(study(FEW))
    qtbot.mouseMove(chart.view, _position(chart, "4-bit"))
    qtbot.waitUntil(chart.view.card.isVisible)
    assert dict(chart.view.card.card.lines)["Perplexity"] == "14.57 ± 0.40"
    assert chart.view.card.geometry().left() < 500
    chart.hide()
    assert not chart.view.card.isVisible()


def test_the_arrow_keys_go_from_mark_to_mark(pareto: ParetoChart, qtbot: QtBot) -> None:
    """Right goes to the next larger mark, Left to the previous one; Return opens it, Escape leaves it."""
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
    """The chart follows both axes."""
    for chip, name in zip(pareto.chips, (PERPLEXITY.title, PEAK_MEMORY.title), strict=True):
        next(action for action in chip.menu().actions() if action.text() == name).trigger()
    pareto.show_memory(200_000_000)
    chart = pareto.view.chart
    assert isinstance(chart, Pareto)
    assert (chart.up, chart.across, chart.memory_bytes) == (PERPLEXITY, PEAK_MEMORY, 200_000_000)


def test_new_results_keep_the_pointed_mark(pareto: ParetoChart, qtbot: QtBot) -> None:
    """The mark moves, and is still the pointed one."""
    qtbot.mouseMove(pareto.view, _position(pareto, "4-bit"))
    qtbot.waitUntil(lambda: pareto.view.pointed is not None)
    pareto.show_study(study((*FEW, ("6-bit", 6.5, 0.005, 0.05, 170.0))))
    assert pareto.view.pointed
    assert pareto.view.pointed.text.startswith("4-bit")
    assert pareto.view.pointed in pareto.view.scene.targets


def test_the_selected_row_is_marked(pareto: ParetoChart) -> None:
    """The mark follows the selection in the table."""
    before = pareto.view.grab().toImage()
    pareto.select(sample_key(study(FEW).rows[2].label, 16))
    marked = pareto.view.grab().toImage()
    assert marked != before
    pareto.select("")
    assert pareto.view.grab().toImage() == before


@pytest.mark.parametrize("make", EVERY)
def test_a_chart_has_a_description(make: Make, show: Callable[[Make], StudyChart]) -> None:
    """Title and all candidates with their figures are accessible."""
    chart = show(make)
    interface = QAccessible.queryAccessibleInterface(chart.view)
    assert interface.text(QAccessible.Text.Name).startswith("SmolLM2-135M-Instruct: ")
    description = interface.text(QAccessible.Text.Description)
    assert all(re.search(rf"\b{name}\b", description) for name, *_ in FEW)


@pytest.mark.parametrize("make", EVERY)
def test_an_image_is_light_and_sharp_in_any_window(
    make: Make, show: Callable[[Make], StudyChart], theme: Theme, tmp_path: Path
) -> None:
    """It has double resolution, a white background, and a fixed text size."""
    chart = show(make)
    chart.save(tmp_path / "light.png")
    theme.set_appearance("dark")
    theme.set_text_size(200)
    chart.save(tmp_path / "dark.png")
    light, dark = QImage(str(tmp_path / "light.png")), QImage(str(tmp_path / "dark.png"))
    assert light.width() == 1920
    assert light.pixelColor(0, 0).name() == "#ffffff"
    assert light == dark


def test_an_svg_file_is_written_and_the_image_copied(pareto: ParetoChart, tmp_path: Path) -> None:
    pareto.save(tmp_path / "chart.svg")
    assert "4-bit" in (tmp_path / "chart.svg").read_text(encoding="utf-8")
    pareto.copy()
    assert QGuiApplication.clipboard().image().width() == 1920


@pytest.mark.parametrize("name", ["chart.png", "chart.svg"])
def test_an_unwritable_file_is_reported(name: str, pareto: ParetoChart, tmp_path: Path, qtbot: QtBot) -> None:
    """The folder was removed while the dialog was open."""
    with qtbot.waitSignal(pareto.failed) as failed:
        pareto.save(tmp_path / "gone" / name)
    assert failed.args == [
        "Couldn't save the chart",
        f"The folder {tmp_path / 'gone'} does not exist. Create it or choose another one.",
    ]


def test_a_file_name_is_valid_on_all_file_systems() -> None:
    assert file_stem("a/b: mean KL against size") == "a-b-mean-KL-against-size"
    assert len(file_stem("x" * 300)) < 120
    assert file_stem("???") == "chart"


def test_overlapping_marks_can_all_be_reached(show: Callable[[Make], StudyChart], qtbot: QtBot) -> None:
    """By repeated clicks or arrow keys; the card lists the others."""
    chart = show(ParetoChart)
    rows = tuple((name, 4.5, 0.041, 0.14, 210.0) for name in ("one", "two", "three"))
    chart.show_study(study(rows))
    chart.activated.connect(chart.select)
    activated_samples = []
    for _ in range(4):
        with qtbot.waitSignal(chart.activated) as activated:
            qtbot.mouseClick(chart.view, Qt.MouseButton.LeftButton, pos=_position(chart, "one"))
        activated_samples.append(activated.args[0].removesuffix(" 16").rpartition("-")[2])
    assert activated_samples[0] == activated_samples[3]
    assert set(activated_samples) == {"one", "two", "three"}
    chart.view._point_at(chart.view.scene.targets[1])
    assert chart.view.card.card.sentences.endswith("In the same place: two, three.")
    chart.view.setFocus()
    for name in ("two", "three"):
        qtbot.keyClick(chart.view, Qt.Key.Key_Right)
        assert chart.view.pointed.name == name


def test_an_explanation_is_below_the_chart(pareto: ParetoChart) -> None:
    """The tooltip has the method; an empty chart has no explanation."""
    assert "one standard error" in pareto.reading.text()
    assert "chunks of 512 tokens" in pareto.reading.toolTip()
    measured = study(FEW)
    pareto.show_study(msgspec.structs.replace(measured, rows=(measured.original,)))
    assert not pareto.reading.isVisible()


def test_an_empty_chart_cannot_be_exported(pareto: ParetoChart) -> None:
    measured = study(FEW)
    assert pareto.export_button.isEnabled()
    pareto.show_study(msgspec.structs.replace(measured, rows=(measured.original,)))
    assert not pareto.export_button.isEnabled()


def test_each_kv_cache_precision_is_a_separate_mark(show: Callable[[Make], StudyChart], qtbot: QtBot) -> None:
    """A click selects its row of the table, not the first one of the model."""
    chart, measured = show(ParetoChart), study(FEW)
    four = msgspec.structs.replace(measured.rows[2].fidelity[0], cache_bits=4, fidelity=fidelity(2.0, 0.7))
    row = msgspec.structs.replace(measured.rows[2], fidelity=(*measured.rows[2].fidelity, four))
    chart.show_study(msgspec.structs.replace(measured, rows=(*measured.rows[:2], row)))
    with qtbot.waitSignal(chart.activated) as activated:
        qtbot.mouseClick(chart.view, Qt.MouseButton.LeftButton, pos=_position(chart, "4-bit, 4-bit KV"))
    assert activated.args == [sample_key(row.label, 4)]


def test_bars_open_on_a_figure_that_a_study_without_speed_has(theme: Theme, qtbot: QtBot) -> None:
    whole = study(FEW)
    rows = tuple(msgspec.structs.replace(row, speed=None) for row in whole.rows)
    chart = BarsChart(theme)
    qtbot.addWidget(chart)
    chart.show_study(msgspec.structs.replace(whole, plan=msgspec.structs.replace(whole.plan, speed=None), rows=rows))
    assert chart.view.scene.targets
