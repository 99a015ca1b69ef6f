"""Test of a whole study, with real job processes and tiny models."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.assembly.window import Assembly
from app.viewmodels.lab.table import COLUMN_BY_KEY
from app.views.kit.notification import NotificationBanner
from app.views.lab.page import LabPage
from mlx_engine.folders import Folders
from tests.app.views.shell.test_window import action
from tests.scripted_worker import Script

TIMEOUT_MS = 120_000


def test_a_study_is_run_from_the_window(
    assemble: Callable[[Script], Assembly], folders: Folders, tiny_models: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    """The study converts a model and compares it with the original; the conversion is then in the library."""
    shutil.copytree(tiny_models / "llama", folders.models / "maker" / "Whale-fp32")
    text = tmp_path / "notes.txt"
    text.write_text("The tide comes in twice a day and erases the footprints on the beach. " * 100)
    assembly = assemble(Script(answer=""))
    bench, parts = assembly.workbench, assembly.pages.lab()
    qtbot.waitUntil(lambda: assembly.library.description("maker/Whale-fp32") is not None, timeout=TIMEOUT_MS)
    action(bench, "page_lab").trigger()
    page = bench.findChild(LabPage)
    page.new()
    parts.draft.set_original(assembly.library.description("maker/Whale-fp32"))
    qtbot.waitUntil(lambda: not parts.draft.is_reading, timeout=TIMEOUT_MS)
    parts.draft.set_options(corpus_file=str(text), recipes=frozenset({"8bit"}), measures_speed=False)
    qtbot.waitUntil(page.setup.tray.button.isEnabled, timeout=TIMEOUT_MS)
    page.setup.tray.button.click()
    bench.show_page("chat")
    assert bench.sidebar.study.text() == "Whale · 0%"
    with qtbot.waitSignal(parts.lab.finished, timeout=TIMEOUT_MS):
        pass
    assert bench.sidebar.study.isHidden()
    banner = bench.findChild(NotificationBanner)
    assert "is finished" in banner.notification.title
    original, conversion = page.view.table.order.sorted_lines()
    assert conversion.name == "8-bit"
    assert conversion.sample.fidelity
    assert page.view.table.table.index(1, COLUMN_BY_KEY["mean_kl"]).data() != ""
    assert original.sample.reference == conversion.sample.fidelity
    qtbot.waitUntil(lambda: assembly.library.description(conversion.row.label) is not None, timeout=TIMEOUT_MS)
    page.view.chat_requested.emit(conversion.row.label)
    assert assembly.chat.model == conversion.row.label
