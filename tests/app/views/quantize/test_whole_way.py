"""Quantizing a model from its selection to the new model in the library, with real processes."""

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
    candidates = (
        candidate
        for candidate in widget.findChildren(QAbstractButton)
        if text in (candidate.accessibleName(), candidate.text())
    )
    return next(candidate for candidate in candidates if candidate.isVisible())


def test_a_quantized_model_is_in_the_library(
    assemble: Callable[[Script], Assembly], folders: Folders, tiny_models: Path, qtbot: QtBot
) -> None:
    """Three buttons suffice; the sidebar shows progress, and the result offers a chat."""
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
    conversion = describe(folders.models / "maker" / "Whale-balanced-4bit", "maker/Whale-balanced-4bit")
    card = page.recipes.cards["balanced-4bit"]
    assert f"{conversion.bits_per_weight:.2f} bits per weight" in card.mark.accessibleName()
    button(banner, "Chat").click()
    assert assembly.chat.model == "maker/Whale-balanced-4bit"
    assert bench.page.isVisible()


@pytest.mark.process
def test_the_menu_opens_the_current_model(assembly: Assembly) -> None:
    """That of the chat, or the selected one of the Models page."""
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


def test_a_model_that_cannot_be_read_leaves_the_window_unchanged(assembly: Assembly, tmp_path: Path) -> None:
    """The failure is reported, and no page opens."""
    messages: list[tuple[str, str]] = []
    assembly.notifier.posted.connect(lambda notice: messages.append((notice.title, notice.message)))
    (tmp_path / "empty").mkdir()
    assembly.pages.quantizing().open_path(tmp_path / "empty")
    assert messages[0][0] == "Couldn't open empty"
