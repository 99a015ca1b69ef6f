"""Tests of the question before a load, in the window."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.assembly.window import Assembly
from app.viewmodels.chat import answering
from app.views.chat.load_question_panel import LoadQuestionPanel
from app.views.chat.parameters_panel import ParametersPanel
from app.views.kit.buttons import TextButton
from app.views.kit.notification import NotificationBanner
from app.views.shell.workbench import Workbench
from mlx_engine.engine.parents import client
from mlx_engine.folders import Folders
from mlx_engine.models.description.describe import describe
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import METAL, estimate
from tests.app.fake_models import make_model
from tests.scripted_worker import Script

TIMEOUT_MS = 20_000
LARGE = "owner/Large"
ROOM = {"num_hidden_layers": 16, "hidden_size": 64, "num_attention_heads": 1, "head_dim": 64}

Assemble = Callable[..., Assembly]


@pytest.fixture
def assembly(assemble: Assemble, folders: Folders) -> Assembly:
    """The window on a Mac with memory for 4,096 tokens of the chosen model."""
    path = make_model(folders.models, LARGE, 32768, **ROOM)
    memory = estimate(describe(path, LARGE), 4096, runtime=METAL).total_bytes * 8 // 7 + 100
    assembly = assemble(Script(answer="Whales sing."), Machine(memory, memory, "for the test", has_metal=True))
    assembly.chat.set_model(LARGE)
    return assembly


def panel(workbench: Workbench) -> LoadQuestionPanel:
    return workbench.findChild(LoadQuestionPanel)


def press(workbench: Workbench, text: str) -> None:
    buttons = [widget for widget in panel(workbench).findChildren(TextButton) if widget.text() == text]
    buttons[-1].click()


def send(workbench: Workbench, qtbot: QtBot, text: str) -> None:
    workbench.page.composer.set_text(text)
    qtbot.keyClick(workbench.page.composer.editor, Qt.Key.Key_Return)


def test_the_estimate_is_shown_and_the_text_is_kept(workbench: Workbench, qtbot: QtBot) -> None:
    """The question is on the page; Cancel changes nothing."""
    assert not panel(workbench).isVisible()
    send(workbench, qtbot, "Do whales sing?")
    assert panel(workbench).isVisible()
    shown = [label.text() for label in panel(workbench).findChildren(QLabel)]
    assert {"Weights", "Context", "Working memory", "Total", "This Mac", "8,192 tokens, 16-bit KV cache"} <= set(shown)
    press(workbench, "Cancel")
    assert not panel(workbench).isVisible()
    assert workbench.page.composer.editor.toPlainText() == "Do whales sing?"


def test_escape_cancels_the_question(workbench: Workbench, qtbot: QtBot) -> None:
    """The composer has the focus."""
    send(workbench, qtbot, "Do whales sing?")
    qtbot.keyClick(workbench.page.composer.editor, Qt.Key.Key_Escape)
    assert not panel(workbench).isVisible()
    assert workbench.page.composer.editor.toPlainText() == "Do whales sing?"


@pytest.mark.process
def test_one_click_sends_the_text_with_a_shorter_context(workbench: Workbench, qtbot: QtBot) -> None:
    """Composer and question are empty afterwards."""
    send(workbench, qtbot, "Do whales sing?")
    press(workbench, "Use a Context of 4,096 Tokens")
    qtbot.waitUntil(lambda: len(workbench.chat.items) == 2 and not workbench.chat.busy, timeout=TIMEOUT_MS)
    assert not panel(workbench).isVisible()
    assert workbench.page.composer.editor.toPlainText() == ""
    assert workbench.chat.items[-1].message.text == "Whales sing."


def test_editing_the_text_withdraws_the_question(workbench: Workbench, qtbot: QtBot) -> None:
    """The text to send is always the text on the screen."""
    send(workbench, qtbot, "Do whales sing?")
    qtbot.keyClicks(workbench.page.composer.editor, " Or not?")
    assert not panel(workbench).isVisible()
    assert workbench.page.composer.editor.toPlainText() == "Do whales sing? Or not?"


@pytest.mark.process
def test_cancel_reopens_the_editor_of_a_message(workbench: Workbench, qtbot: QtBot) -> None:
    """The editor contains the edited text."""
    workbench.chat.parameters.set_memory(context=4096)
    send(workbench, qtbot, "First")
    qtbot.waitUntil(lambda: len(workbench.chat.items) == 2 and not workbench.chat.busy, timeout=TIMEOUT_MS)
    workbench.chat.parameters.set_memory(context=0)
    transcript = workbench.page.transcript
    transcript.edit_requested.emit(workbench.chat.items[0].message.id, "First of all")
    assert panel(workbench).isVisible()
    press(workbench, "Cancel")
    texts = [widget.toPlainText() for widget in transcript.findChildren(QPlainTextEdit) if widget.isVisible()]
    assert texts == ["First of all"]


def test_a_load_from_the_menu_asks_on_the_chat_page(workbench: Workbench) -> None:
    """Even from another page."""
    workbench.show_page("models")
    workbench.actions_by_name["load_model"].trigger()
    assert panel(workbench).isVisible()


def test_find_a_smaller_model_opens_discover(workbench: Workbench, qtbot: QtBot) -> None:
    """The question remains on the chat page."""
    send(workbench, qtbot, "Do whales sing?")
    press(workbench, "Find a Smaller Model")
    assert not panel(workbench).isVisible()
    workbench.show_page("chat")
    assert panel(workbench).isVisible()


@pytest.mark.parametrize("percent", [100, 200])
def test_the_buttons_stay_visible(workbench: Workbench, qtbot: QtBot, percent: int) -> None:
    """Even in the smallest window at twice the text size."""
    workbench.set_text_size(percent)
    workbench.main_window.resize(900, 600)
    send(workbench, qtbot, "Do whales sing?")

    def all_in_sight() -> bool:
        composer = workbench.page.composer
        top = composer.mapTo(workbench, composer.rect().topLeft()).y()
        buttons = [widget for widget in panel(workbench).findChildren(TextButton) if widget.isVisible()]
        return bool(buttons) and all(
            widget.mapTo(workbench, widget.rect().bottomLeft()).y() < top for widget in buttons
        )

    qtbot.waitUntil(all_in_sight, timeout=TIMEOUT_MS)


@pytest.mark.process
def test_a_model_that_hangs_can_be_quit(
    assemble: Assemble, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The button appears after the grace period and disappears with the answer."""
    monkeypatch.setattr(client, "GRACE_S", 0.2)
    monkeypatch.setattr(answering, "STOP_GRACE_MS", 50)
    workbench = assemble(Script(answer="one two three four", hang_at="decode")).workbench

    def button() -> TextButton:
        return next(button for button in workbench.page.findChildren(TextButton) if button.text() == "Quit Model")

    workbench.chat.send("Count")
    qtbot.waitUntil(lambda: workbench.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
    assert not button().isVisible()
    workbench.chat.stop()
    qtbot.waitUntil(lambda: button().isVisible(), timeout=TIMEOUT_MS)
    button().click()
    qtbot.waitUntil(lambda: not workbench.chat.busy, timeout=TIMEOUT_MS)
    assert not button().isVisible()
    assert not workbench.findChild(NotificationBanner).isVisible()


def test_fewer_bits_are_disabled_if_the_model_needs_16(assembly: Assembly) -> None:
    """The reason is shown below the choice."""
    workbench = assembly.workbench
    workbench.toggle_parameters()
    shown = workbench.findChild(ParametersPanel)

    def choice() -> QComboBox:
        return next(box for box in shown.findChildren(QComboBox) if box.accessibleName() == "KV cache")

    assert choice().isEnabled()
    workbench.chat.set_model("owner/Alpha")
    assert not choice().isEnabled()
    assert any("unknown width" in label.text() for label in shown.findChildren(QLabel))
