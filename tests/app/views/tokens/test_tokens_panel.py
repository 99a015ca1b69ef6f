"""The view of tokens: what is chosen, what is marked, what is heard, what is copied."""

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.viewmodels.tokens.states import Shown
from app.viewmodels.tokens.view import OWN, TokenView
from app.views.kit.theme import Theme
from app.views.tokens.controls import FLIPS, WORST
from app.views.tokens.panel import TokensPanel
from mlx_engine.folders import Folders
from tests.app.token_texts import GivenLab, TokenAnswers, study, token
from tests.app.views.shell.test_window import unnamed_controls


@pytest.fixture
def jobs() -> TokenAnswers:
    return TokenAnswers()


@pytest.fixture
def lab(qapp: object) -> GivenLab:
    return GivenLab(study("Whale-4bit", "Whale-3bit"))


@pytest.fixture
def view(lab: GivenLab, jobs: TokenAnswers, tmp_path: Path) -> TokenView:
    return TokenView(lab, jobs, Folders(data=tmp_path, cache=tmp_path, logs=tmp_path))


@pytest.fixture
def panel(qtbot: QtBot, view: TokenView, theme: Theme) -> TokensPanel:
    panel = TokensPanel(view, theme)
    qtbot.addWidget(panel)
    panel.resize(1000, 640)
    panel.show()
    panel.activateWindow()
    QApplication.processEvents()
    return panel


def words(panel: TokensPanel) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_the_text_is_there_when_the_panel_is_first_seen(panel: TokensPanel) -> None:
    assert panel.text.isVisible()
    assert "2 of 6 next tokens differ" in words(panel)
    assert panel.controls.part.text() == "1 of 2"
    assert panel.worst.count() == 1


def test_every_control_has_a_name(panel: TokensPanel) -> None:
    assert unnamed_controls(panel) == []


def test_keys_step_from_divergence_to_divergence(panel: TokensPanel, view: TokenView, qtbot: QtBot) -> None:
    """The card shows where one is, a screen reader hears it, and Escape puts the card away."""
    panel.text.setFocus()
    qtbot.keyClick(panel.text, Qt.Key.Key_J)
    assert view.current == 1
    assert panel.text.card.isVisible()
    assert "4bit so with 30%" in panel.text.accessibleDescription()
    qtbot.keyClick(panel.text, Qt.Key.Key_J)
    qtbot.keyClick(panel.text, Qt.Key.Key_K)
    assert view.current == 1
    qtbot.keyClick(panel.text, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert view.current == 4
    qtbot.keyClick(panel.text, Qt.Key.Key_P)
    assert view.current == 1
    qtbot.keyClick(panel.text, Qt.Key.Key_Right)
    assert view.current == 2
    qtbot.keyClick(panel.text, Qt.Key.Key_Escape)
    assert not panel.text.card.isVisible()


def test_buttons_step_through_the_worst_places_if_that_is_wanted(panel: TokensPanel, view: TokenView) -> None:
    menu = panel.controls.aims.menu()
    assert [action.text() for action in menu.actions()] == [FLIPS, WORST]
    menu.actions()[1].trigger()
    panel.controls.next.click()
    assert (view.kind, view.chunk, view.current) == ("code", 3, 2)


def test_the_mouse_brings_the_card_of_what_it_is_over(panel: TokensPanel) -> None:
    """And takes it away again."""
    over(panel, panel.text.place_of(3).center())
    assert panel.text.card.isVisible()
    over(panel, QPointF(2, 2))
    assert not panel.text.card.isVisible()


def over(panel: TokensPanel, place: QPointF) -> None:
    """Move the mouse to that place of the text."""
    none = Qt.MouseButton.NoButton
    move = QMouseEvent(QEvent.Type.MouseMove, place, place, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel.text.viewport(), move)


def test_a_study_that_goes_on_does_not_scroll_the_text(
    panel: TokensPanel, view: TokenView, jobs: TokenAnswers, lab: GivenLab
) -> None:
    """It tells of changes all the time; who reads somewhere else stays there."""
    jobs.tokens = tuple(token(f" boat{n}", differs=n == 900) for n in range(1000))
    view.turn(1)
    view.step(1)
    bar = panel.text.verticalScrollBar()
    assert bar.value() > 0
    bar.setValue(0)
    lab.changed.emit()
    assert bar.value() == 0


def test_swapping_candidates_keeps_the_place(
    panel: TokensPanel, view: TokenView, jobs: TokenAnswers, qtbot: QtBot
) -> None:
    """Also where no token is marked: the text is the same."""
    jobs.tokens = tuple(token(f" boat{n}", differs=n == 900) for n in range(1000))
    view.turn(1)
    view.choose_candidate("3bit")
    bar = panel.text.verticalScrollBar()
    bar.setValue(333)
    for _ in range(2):
        qtbot.keyClick(panel.text, Qt.Key.Key_X)
        assert bar.value() == 333
    assert view.candidate
    assert view.candidate.name == "3bit"


def test_another_size_of_the_text_keeps_the_place(
    panel: TokensPanel, view: TokenView, jobs: TokenAnswers, theme: Theme
) -> None:
    jobs.tokens = tuple(token(f" boat{n}") for n in range(1000))
    view.turn(1)
    view.go_to(700)
    before = panel.text.place_of(700).top()
    theme.set_text_size(150)
    assert panel.text.place_of(700).top() == pytest.approx(before, abs=1)
    theme.set_text_size(100)


def test_a_text_is_opened_where_it_is_scored(panel: TokensPanel, view: TokenView, jobs: TokenAnswers) -> None:
    """What is read before is above, and a little of it is seen."""
    jobs.before = "\n".join(["Far out"] * 200)
    jobs.tokens = tuple(token(f" boat{n}") for n in range(1000))
    view.turn(1)
    assert 20 < panel.text.place_of(0).top() < 200


def test_an_own_text_is_typed_and_measured(panel: TokensPanel, view: TokenView, qtbot: QtBot) -> None:
    """It is said that it stays here; without a text there is nothing to press."""
    view.choose_kind(OWN)
    assert panel.own_text.isVisible()
    assert "Nothing of it leaves it" in words(panel)
    assert not panel.own_text.button.isEnabled()
    qtbot.keyClicks(panel.own_text.editor, "The boats came back in the evening, all but one.")
    panel.own_text.button.click()
    assert isinstance(view.state, Shown)
    assert panel.text.isVisible()
    assert "until you forget it" in words(panel)
    panel.own_text.forget.click()
    assert (panel.own_text.editor.toPlainText(), panel.own_text.forget.isVisible()) == ("", False)
    assert not panel.text.isVisible()


def test_a_failure_is_told_in_the_place_of_the_text(panel: TokensPanel, view: TokenView, jobs: TokenAnswers) -> None:
    jobs.failure = "Measure this model again."
    view.turn(1)
    assert not panel.text.isVisible()
    assert "Measure this model again." in words(panel)


def test_the_text_is_copied_with_and_without_its_tints(panel: TokensPanel) -> None:
    """Programs that take no HTML get the plain text."""
    panel.copy(is_html=True)
    content = QGuiApplication.clipboard().mimeData()
    assert "background: #" in content.html()
    assert "KL 1.200" in content.text()
    panel.copy(is_html=False)
    assert not QGuiApplication.clipboard().mimeData().hasHtml()


@pytest.mark.parametrize(("width", "height", "percent"), [(660, 300, 100), (660, 300, 200), (1000, 640, 200)])
def test_the_panel_fits_where_there_is_little_room(
    panel: TokensPanel, theme: Theme, width: int, height: int, percent: int
) -> None:
    """The text keeps some of it, and the card is whole within the window."""
    theme.set_text_size(percent)
    panel.resize(width, height)
    QApplication.processEvents()
    assert (panel.width(), panel.height()) == (width, height)
    assert panel.text.height() >= 60
    theme.set_text_size(100)


def test_a_long_text_scrolls_smoothly(panel: TokensPanel, jobs: TokenAnswers, view: TokenView) -> None:
    """With 8,192 tokens a step is drawn within a frame at 60 Hz, by the median, since others use this machine too."""
    jobs.tokens = tuple(token(f" boat{n}", kl=n % 7 / 5, differs=n % 9 == 0) for n in range(8192))
    view.turn(1)
    bar, times = panel.text.verticalScrollBar(), []
    for place in range(0, 60 * bar.singleStep(), bar.singleStep()):
        began = time.perf_counter()
        bar.setValue(place)
        panel.text.viewport().repaint()
        times.append(time.perf_counter() - began)
    assert sorted(times)[30] < 0.016
