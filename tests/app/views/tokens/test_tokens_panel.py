"""Tests of the token view: choices, marks, announcements and copies."""

import time
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.viewmodels.tokens.states import TextShown
from app.viewmodels.tokens.view import USER_TEXT, TokenViewModel
from app.views.kit.theme import Theme
from app.views.tokens.controls import FLIPS, WORST
from app.views.tokens.panel import TokensPanel
from mlx_engine.folders import Folders
from tests.app.token_texts import FakeLab, TokenAnswers, study, token
from tests.app.views.shell.test_window import unnamed_controls


@pytest.fixture
def jobs() -> TokenAnswers:
    return TokenAnswers()


@pytest.fixture
def lab(qapp: object) -> FakeLab:
    return FakeLab(study("Whale-4bit", "Whale-3bit"))


@pytest.fixture
def view(lab: FakeLab, jobs: TokenAnswers, tmp_path: Path) -> TokenViewModel:
    return TokenViewModel(lab, jobs, Folders(data=tmp_path, cache=tmp_path, logs=tmp_path))


@pytest.fixture
def panel(qtbot: QtBot, view: TokenViewModel, theme: Theme) -> TokensPanel:
    panel = TokensPanel(view, theme)
    qtbot.addWidget(panel)
    panel.resize(1000, 640)
    panel.show()
    panel.activateWindow()
    QApplication.processEvents()
    return panel


def visible_text(panel: TokensPanel) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_the_text_is_read_when_the_panel_becomes_visible(panel: TokensPanel) -> None:
    assert panel.text.isVisible()
    assert "2 of 6 next tokens differ" in visible_text(panel)
    assert panel.controls.part.text() == "1 of 2"
    assert panel.worst.count() == 1


def test_every_control_has_a_name(panel: TokensPanel) -> None:
    assert unnamed_controls(panel) == []


def test_keys_step_from_divergence_to_divergence(panel: TokensPanel, view: TokenViewModel, qtbot: QtBot) -> None:
    """The card follows, the token is announced, and Escape hides the card."""
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


def test_buttons_step_through_the_worst_places_in_that_mode(panel: TokensPanel, view: TokenViewModel) -> None:
    menu = panel.controls.modes.menu()
    assert [action.text() for action in menu.actions()] == [FLIPS, WORST]
    menu.actions()[1].trigger()
    panel.controls.next.click()
    assert (view.kind, view.chunk, view.current) == ("code", 3, 2)


def test_the_mouse_shows_the_card_of_a_token(panel: TokensPanel) -> None:
    """The card disappears when the mouse leaves the token."""
    hover(panel, panel.text.rect_of(3).center())
    assert panel.text.card.isVisible()
    hover(panel, QPointF(2, 2))
    assert not panel.text.card.isVisible()


def hover(panel: TokensPanel, point: QPointF) -> None:
    """Move the mouse to a point of the text."""
    none = Qt.MouseButton.NoButton
    move = QMouseEvent(QEvent.Type.MouseMove, point, point, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel.text.viewport(), move)


def test_a_running_study_does_not_scroll_the_text(
    panel: TokensPanel, view: TokenViewModel, jobs: TokenAnswers, lab: FakeLab
) -> None:
    """Frequent changes of the study keep the scroll position."""
    jobs.tokens = tuple(token(f" boat{n}", differs=n == 900) for n in range(1000))
    view.turn(1)
    view.step(1)
    bar = panel.text.verticalScrollBar()
    assert bar.value() > 0
    bar.setValue(0)
    lab.changed.emit()
    assert bar.value() == 0


def test_swapping_candidates_keeps_the_place(
    panel: TokensPanel, view: TokenViewModel, jobs: TokenAnswers, qtbot: QtBot
) -> None:
    """Even without a current token."""
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


def test_another_text_size_keeps_the_place(
    panel: TokensPanel, view: TokenViewModel, jobs: TokenAnswers, theme: Theme
) -> None:
    jobs.tokens = tuple(token(f" boat{n}") for n in range(1000))
    view.turn(1)
    view.go_to(700)
    before = panel.text.rect_of(700).top()
    theme.set_text_size(150)
    assert panel.text.rect_of(700).top() == pytest.approx(before, abs=1)
    theme.set_text_size(100)


def test_a_text_opens_at_its_first_scored_line(panel: TokensPanel, view: TokenViewModel, jobs: TokenAnswers) -> None:
    """A few unscored lines are visible above it."""
    jobs.before = "\n".join(["Far out"] * 200)
    jobs.tokens = tuple(token(f" boat{n}") for n in range(1000))
    view.turn(1)
    assert 20 < panel.text.rect_of(0).top() < 200


def test_a_users_text_is_typed_and_measured(panel: TokensPanel, view: TokenViewModel, qtbot: QtBot) -> None:
    """The note explains privacy and storage; the button needs a text."""
    view.choose_kind(USER_TEXT)
    assert panel.pasted_text.isVisible()
    assert "Nothing leaves your Mac" in visible_text(panel)
    assert not panel.pasted_text.button.isEnabled()
    qtbot.keyClicks(panel.pasted_text.editor, "The boats came back in the evening, all but one.")
    panel.pasted_text.button.click()
    assert isinstance(view.state, TextShown)
    assert panel.text.isVisible()
    assert "until you delete them" in visible_text(panel)
    panel.pasted_text.delete.click()
    assert (panel.pasted_text.editor.toPlainText(), panel.pasted_text.delete.isVisible()) == ("", False)
    assert not panel.text.isVisible()


def test_a_failure_replaces_the_text(panel: TokensPanel, view: TokenViewModel, jobs: TokenAnswers) -> None:
    jobs.failure = "Measure this model again."
    view.turn(1)
    assert not panel.text.isVisible()
    assert "Measure this model again." in visible_text(panel)


def test_the_text_is_copied_with_and_without_tints(panel: TokensPanel) -> None:
    """HTML copies include plain text for other apps."""
    panel.copy(is_html=True)
    content = QGuiApplication.clipboard().mimeData()
    assert "background: #" in content.html()
    assert "KL 1.200" in content.text()
    panel.copy(is_html=False)
    assert not QGuiApplication.clipboard().mimeData().hasHtml()


@pytest.mark.parametrize(("width", "height", "percent"), [(660, 300, 100), (660, 300, 200), (1000, 640, 200)])
def test_the_panel_fits_small_windows(panel: TokensPanel, theme: Theme, width: int, height: int, percent: int) -> None:
    """The text stays visible."""
    theme.set_text_size(percent)
    panel.resize(width, height)
    QApplication.processEvents()
    assert (panel.width(), panel.height()) == (width, height)
    assert panel.text.height() >= 60
    theme.set_text_size(100)


def test_a_long_text_scrolls_smoothly(panel: TokensPanel, jobs: TokenAnswers, view: TokenViewModel) -> None:
    """With 8,192 tokens, the median step takes less of this thread's time than a frame at 60 Hz."""
    jobs.tokens = tuple(token(f" boat{n}", kl=n % 7 / 5, differs=n % 9 == 0) for n in range(8192))
    view.turn(1)
    bar, times = panel.text.verticalScrollBar(), []
    for value in range(0, 60 * bar.singleStep(), bar.singleStep()):
        start = time.thread_time()
        bar.setValue(value)
        panel.text.viewport().repaint()
        times.append(time.thread_time() - start)
    assert sorted(times)[30] < 0.016
