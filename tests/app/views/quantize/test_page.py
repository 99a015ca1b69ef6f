"""The Quantize page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QInputDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.viewmodels.quantize.quantize import FIRST_CHOICE, Quantize
from app.viewmodels.quantize.recipe_store import RecipeStore
from app.views.charts.bit_scale import bit_color
from app.views.kit.theme import Theme
from app.views.quantize.editor import Editor
from app.views.quantize.page import QuantizePage
from mlx_engine.models.description.describe import describe
from mlx_engine.models.memory.machine import mac
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.plan.outline import Outline
from tests.app.fake_models import make_model
from tests.app.outlines import OutlineAnswers, outline
from tests.app.views.shell.test_window import unnamed_controls

TIMEOUT_MS = 5_000

Show = Callable[..., QuantizePage]


@pytest.fixture
def queue() -> list[Convert]:
    return []


@pytest.fixture
def show(qtbot: QtBot, theme: Theme, tmp_path: Path, queue: list[Convert]) -> Show:
    """Return a function that shows the page for a model with an outline or a failure."""

    shown: list[QuantizePage] = []

    def show(answer: Outline | RequestFailed | None = None) -> QuantizePage:
        store = RecipeStore(tmp_path / "recipes")
        questions = OutlineAnswers(answer or outline())
        quantize = Quantize(tmp_path / "models", questions, store, mac(16 * 2**30, ""), queue.append)
        page = QuantizePage(quantize, theme)
        qtbot.addWidget(page)
        shown.append(page)
        page.resize(760, 620)
        page.show()
        quantize.open(describe(make_model(tmp_path / "models", "maker/Whale"), "maker/Whale"))
        return page

    return show


def text_of(page: QuantizePage) -> str:
    """Return all visible text of the page."""
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def press(page: QuantizePage, name: str) -> None:
    buttons = (
        button for button in page.findChildren(QAbstractButton) if name in (button.accessibleName(), button.text())
    )
    next(button for button in buttons if button.isVisible()).click()


def drag(widget: QWidget, to: QPoint) -> None:
    """Move the mouse with its button pressed."""
    left = Qt.MouseButton.LeftButton
    where = (QPointF(to), widget.mapToGlobal(QPointF(to)))
    move = QMouseEvent(QEvent.Type.MouseMove, *where, left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, move)


def edit(page: QuantizePage, name: str = "4bit") -> Editor:
    page.edit(name)
    assert page.editor
    return page.editor


def test_cards_are_selected_by_mouse_and_keyboard(show: Show, qtbot: QtBot, queue: list[Convert]) -> None:
    """A click anywhere on a card, or the space bar on its check box; the button then starts all conversions."""
    page = show()
    card, other = page.recipes.cards["4bit"], page.recipes.cards["8bit"]
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPoint(card.width() // 2, card.height() // 2))
    other.mark.setFocus()
    qtbot.keyClick(other.mark, Qt.Key.Key_Space)
    assert page.tray.button.text() == "Create 3 Models"
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    page.tray.button.click()
    assert [Path(job.target).name for job in queue] == [f"Whale-{FIRST_CHOICE}", "Whale-8bit"]
    assert not page.tray.button.isEnabled()


def test_a_problem_has_a_remedy_in_its_row(show: Show, tmp_path: Path) -> None:
    (tmp_path / "models" / "maker" / f"Whale-{FIRST_CHOICE}").mkdir(parents=True)
    page = show()
    assert "already" in text_of(page)
    assert not page.tray.button.isEnabled()
    press(page, f"Use “Whale-{FIRST_CHOICE}-2”")
    assert page.tray.button.isEnabled()


def test_a_card_lists_unquantized_tensors(show: Show) -> None:
    page = show(outline(odd=100))
    press(page, "Tensors that 4-bit does not quantize")
    assert "its rows of 100 weights do not divide by 64" in text_of(page)


def test_a_model_that_cannot_be_quantized_has_a_reason(show: Show) -> None:
    page = show(RequestFailed(id="", error="UnsupportedModel", title="Not supported", message="Its kind is new."))
    assert "Its kind is new." in text_of(page)
    assert page.tray.isHidden()


def test_the_editor_follows_the_keyboard(show: Show, qtbot: QtBot) -> None:
    """Arrow keys select, Shift extends, a digit sets the bits; the figures update, and the change can be undone."""
    page = show()
    editor = edit(page)
    before = text_of(page)
    qtbot.keyClick(editor.map, Qt.Key.Key_Down)
    qtbot.keyClick(editor.map, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(editor.map, Qt.Key.Key_8)
    rows = editor.map.selection.map.rows
    assert [cell.bits for cell in rows[1].cells.values()].count(8) == 2
    assert "more than 4-bit" in text_of(page)
    editor.map.undo()
    assert "Same size as 4-bit" in before
    assert "Same size as 4-bit" in text_of(page)


def test_the_map_has_the_colors_of_the_bits(show: Show) -> None:
    """A matrix has a tooltip and the color of its bits; one that cannot be quantized is hatched."""
    editor = edit(show(outline(odd=100)))
    picture = editor.map.viewport().grab().toImage()
    seen: dict[str, set[str]] = {}
    for y in range(0, editor.map.viewport().height(), 3):
        for x in range(0, editor.map.viewport().width(), 3):
            if tip := editor.map.tip_at(QPoint(x, y)):
                seen.setdefault(tip, set()).add(picture.pixelColor(x, y).name())
    assert bit_color(4).name() in seen["model.layers.0.self_attn.q_proj: 4-bit"]
    odd = next(tip for tip in seen if "down_proj" in tip)
    assert odd.endswith("its rows of 100 weights do not divide by 64")
    assert not seen[odd] & {bit_color(bits).name() for bits in (2, 3, 4, 5, 6, 8, 16)}


def test_a_click_on_a_heading_selects_its_column(show: Show, qtbot: QtBot) -> None:
    """Dragging extends the selection to neighboring columns."""
    editor = edit(show())
    places = {editor.map.place_at(QPoint(x, y)): QPoint(x, y) for x in range(0, 600, 4) for y in range(0, 120, 4)}
    qtbot.mouseClick(editor.map.viewport(), Qt.MouseButton.LeftButton, pos=places[-1, 2])
    assert editor.map.selection.paths == {f"model.layers.{layer}.self_attn.v_proj" for layer in range(8)}
    qtbot.mousePress(editor.map.viewport(), Qt.MouseButton.LeftButton, pos=places[1, 1])
    drag(editor.map.viewport(), places[2, 3])
    assert len(editor.map.selection.paths) == 6


def test_an_edited_recipe_is_saved_under_your_own(show: Show) -> None:
    page = show()
    editor = edit(page)
    editor.palette_panel.choose_bits(6)
    editor.ask_for_name()
    dialog = editor.findChild(QInputDialog)
    assert dialog.textValue() == "My 4-bit"
    dialog.setTextValue("For the train")
    dialog.accept()
    assert page.editor is None
    assert page.recipes.cards["For-the-train"].mark.isChecked()


def test_leaving_an_unchanged_editor_needs_no_confirmation(show: Show, qtbot: QtBot) -> None:
    page = show()
    edit(page)
    page.go_back()
    assert page.editor is None
    with qtbot.waitSignal(page.back_requested):
        page.go_back()


def test_every_control_has_a_name(show: Show, theme: Theme) -> None:
    """Both on cards and in the editor."""
    page = show()
    assert unnamed_controls(page) == []
    edit(page)
    assert unnamed_controls(page) == []


def test_large_text_fits_the_page(show: Show, theme: Theme) -> None:
    """At 200 % in a small window, nothing is wider than the page."""
    page = show()
    page.resize(660, 500)
    theme.set_text_size(200)
    try:
        page.grab()
        assert page.recipes.widget().width() <= page.recipes.viewport().width()
        editor = edit(page)
        page.grab()
        assert editor.width() <= page.width()
    finally:
        theme.set_text_size(100)


def test_the_button_stays_visible_in_a_full_tray(show: Show, qtbot: QtBot) -> None:
    """The tray grows with rows and problems; its button stays inside."""
    page = show()
    for name in ("8bit", "6bit", "4bit"):
        page.recipes.cards[name].mark.click()
        qtbot.waitUntil(lambda: page.tray.rect().contains(page.tray.button.geometry()), timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: page.rect().contains(page.tray.geometry()), timeout=TIMEOUT_MS)
