"""From the page of models over recipe and queue to the new model in the library, with real processes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from app.assembly.window import Assembly
from app.views.jobs.page import JobsPage
from app.views.kit.notification import NotificationBanner
from app.views.models.page import ModelsPage
from app.views.quantize.page import QuantizePage
from mlx_engine.folders import Folders
from mlx_engine.models.description.describe import describe
from tests.app.views.shell.test_window import action, unnamed_controls
from tests.scripted_worker import Script

TIMEOUT_MS = 60_000


def button(widget: QWidget, text: str) -> QAbstractButton:
    named = (one for one in widget.findChildren(QAbstractButton) if text in (one.accessibleName(), one.text()))
    return next(one for one in named if one.isVisible())


def test_a_model_is_quantized_and_stands_in_the_library(
    assemble: Callable[[Script], Assembly], folders: Folders, tiny_models: Path, qtbot: QtBot
) -> None:
    """The person presses three buttons; the sidebar says what goes on, and the chat is offered at the end."""
    shutil.copytree(tiny_models / "llama", folders.models / "maker" / "Whale-fp32")
    assembly = assemble(Script(answer="Whales sing."))
    bench = assembly.workbench
    models = bench.show_page("models")
    assert isinstance(models, ModelsPage)
    qtbot.waitUntil(lambda: models.table.select("maker/Whale-fp32"), timeout=TIMEOUT_MS)
    button(models.inspector, "Quantize…").click()
    page = bench.findChild(QuantizePage)
    assert page.isVisible()
    qtbot.waitUntil(lambda: bool(page.recipes.cards), timeout=TIMEOUT_MS)
    page.tray.button.click()
    jobs = bench.findChild(JobsPage)
    assert jobs.isVisible()
    assert "Quantizing" in bench.sidebar.jobs.text()
    assert unnamed_controls(jobs) == []
    with qtbot.waitSignal(assembly.pages.jobs().jobs.converted, timeout=TIMEOUT_MS):
        pass
    banner = bench.findChild(NotificationBanner)
    assert banner.notification.title == "Whale-balanced-4bit was added to your library."
    made = describe(folders.models / "maker" / "Whale-balanced-4bit", "maker/Whale-balanced-4bit")
    card = page.recipes.cards["balanced-4bit"]
    assert f"{made.bits_per_weight:.2f} bits per weight" in card.mark.accessibleName()
    button(banner, "Chat").click()
    assert assembly.chat.model == "maker/Whale-balanced-4bit"
    assert bench.page.isVisible()


@pytest.mark.process
def test_the_menu_leads_to_the_model_at_hand(assembly: Assembly) -> None:
    """To the one of the chat; from the page of models to the one that is marked there."""
    bench = assembly.workbench
    assembly.chat.set_model("owner/Beta")
    action(bench, "quantize").trigger()
    assert assembly.pages.quantizing().quantize.state.model.id == "owner/Beta"
    models = bench.show_page("models")
    models.table.select("owner/Alpha")
    action(bench, "quantize").trigger()
    assert assembly.pages.quantizing().quantize.state.model.id == "owner/Alpha"
    bench.findChild(QuantizePage).go_back()
    assert models.isVisible()


def test_a_model_that_fails_to_be_read_leaves_the_window_as_it_is(assembly: Assembly, tmp_path: Path) -> None:
    """What is no model is told, and nothing is opened."""
    told: list[tuple[str, str]] = []
    assembly.notifier.posted.connect(lambda notice: told.append((notice.title, notice.message)))
    (tmp_path / "empty").mkdir()
    assembly.pages.quantizing().open_path(tmp_path / "empty")
    assert told[0][0] == "Couldn't open empty"
