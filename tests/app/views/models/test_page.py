"""Tests of the Models page in the window."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QInputDialog, QMessageBox, QTextBrowser
from pytestqt.qtbot import QtBot

from app.assembly.window import Assembly
from app.viewmodels.chat.conversation_list import ConversationRole
from app.viewmodels.library.folders import ModelFolders
from app.views.kit.buttons import IconButton, LinkButton
from app.views.kit.notification import NotificationBanner
from app.views.kit.text_label import TextLabel
from app.views.models.filter_bar import FacetChip
from app.views.models.folders_dialog import FoldersDialog
from app.views.models.page import ModelsPage
from app.views.models.placeholder import DropFrame, TablePlaceholder
from app.views.shell.workbench import Workbench
from mlx_engine.cli.main import main
from mlx_engine.folders import Folders
from mlx_engine.models.description import provenance
from mlx_engine.models.description.provenance import Provenance
from tests.app.fake_models import make_model
from tests.app.views.shell.test_window import action, unnamed_controls
from tests.gguf_files import tiny_model
from tests.hub.fixtures import model_files
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.scripted_worker import Script
from tests.trash import trash

__all__ = ["trash"]

TIMEOUT_MS = 20_000


@pytest.fixture
def page(workbench: Workbench) -> ModelsPage:
    """The page with the first model selected."""
    page = workbench.show_page("models")
    page.table.selectRow(0)
    return page


def visible_names(page: ModelsPage) -> list[str]:
    rows = page.table.model()
    return [rows.index(number, 0).data() for number in range(rows.rowCount())]


def drop(page: ModelsPage, *urls: QUrl) -> None:
    """Drag the URLs onto the page and drop them."""
    files = QMimeData()
    files.setUrls(urls)
    rest = (Qt.DropAction.CopyAction, files, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(page, QDragEnterEvent(QPoint(50, 50), *rest))
    QApplication.sendEvent(page, QDropEvent(QPointF(50, 50), *rest))


def test_the_page_is_reached_by_menu_and_sidebar(workbench: Workbench) -> None:
    """The menu and the window title match the page; a new chat returns to Chat."""
    action(workbench, "page_models").trigger()
    assert workbench.findChild(ModelsPage).isVisible()
    assert action(workbench, "page_models").isChecked()
    assert workbench.main_window.windowTitle() == "Models"
    workbench.new_chat()
    assert workbench.page.isVisible()
    assert action(workbench, "page_chat").isChecked()


def test_the_page_is_built_on_first_use(workbench: Workbench) -> None:
    """It does not slow down the start of the window."""
    assert workbench.findChild(ModelsPage) is None


def test_every_control_has_a_name(workbench: Workbench, page: ModelsPage) -> None:
    """Every button and field has a name for screen readers."""
    assert page.inspector.isVisible()
    assert unnamed_controls(workbench.main_window) == []


@pytest.mark.parametrize("percent", [100, 200])
def test_the_page_fits_into_a_small_window(workbench: Workbench, page: ModelsPage, percent: int) -> None:
    """At 900 by 600 and at twice the text size the window does not grow, and the inspector is wide enough."""
    workbench.set_text_size(percent)
    workbench.main_window.resize(900, 600)
    QApplication.sendPostedEvents()
    assert (workbench.main_window.width(), workbench.main_window.height()) == (900, 600)
    assert page.inspector.isVisible()
    assert page.inspector.width() + 1 >= page.width() // 3


def test_a_narrow_table_hides_columns_and_keeps_the_name(page: ModelsPage, workbench: Workbench) -> None:
    workbench.main_window.resize(1500, 800)
    page.inspector.closed.emit()
    QApplication.sendPostedEvents()
    wide = page.table.horizontalHeader().hiddenSectionCount()
    workbench.main_window.resize(800, 600)
    QApplication.sendPostedEvents()
    assert page.table.horizontalHeader().hiddenSectionCount() > wide
    assert not page.table.isColumnHidden(0)
    assert page.table.columnWidth(0) > 100


def test_search_and_facets_filter_and_can_be_cleared(page: ModelsPage, qtbot: QtBot) -> None:
    """A placeholder without matches has a button that shows all models."""
    qtbot.keyClicks(page.bar.search, "beta")
    assert visible_names(page) == ["Beta"]
    qtbot.keyClicks(page.bar.search, " and more")
    placeholder = page.findChild(TablePlaceholder)
    assert placeholder.isVisible()
    placeholder.pressed.emit()
    assert visible_names(page) == ["Alpha", "Beta"]
    chip = next(chip for chip in page.findChildren(FacetChip) if chip.text() == "Source")
    chip.menu().actions()[0].trigger()
    assert chip.text() == "Source: Facet"


def test_the_keyboard_leads_from_the_filter_to_a_chat(page: ModelsPage, workbench: Workbench, qtbot: QtBot) -> None:
    """Down enters the table, and Return starts a chat with the selected model."""
    page.bar.search.setFocus()
    qtbot.keyClick(page.bar.search, Qt.Key.Key_Down)
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert workbench.page.isVisible()
    assert workbench.chat.model == "owner/Beta"


def test_escape_closes_the_inspector(page: ModelsPage, qtbot: QtBot) -> None:
    qtbot.keyClick(page.table, Qt.Key.Key_Escape)
    assert not page.inspector.isVisible()
    assert page.table.current_row() is None


def test_a_model_is_renamed_from_the_page(page: ModelsPage, qtbot: QtBot) -> None:
    """It stays selected under its new name."""
    page.inspector.rename_requested.emit()
    dialog = page.findChild(QInputDialog)
    dialog.setTextValue("Zulu")
    dialog.accept()
    qtbot.waitUntil(lambda: visible_names(page) == ["Beta", "Zulu"], timeout=TIMEOUT_MS)
    assert page.table.current_row().name == "Zulu"


@pytest.mark.process
def test_chats_follow_a_renamed_model(assembly: Assembly, qtbot: QtBot) -> None:
    """The current chat, its answers, the list and the next chat use the new name."""
    chat = assembly.chat
    chat.set_model("owner/Beta")
    chat.send("Do whales sing?")
    qtbot.waitUntil(lambda: not chat.busy, timeout=TIMEOUT_MS)
    assembly.library.unload("owner/Beta")
    page = assembly.workbench.show_page("models")
    assert page.table.select("owner/Beta")
    page.inspector.rename_requested.emit()
    dialog = page.findChild(QInputDialog)
    dialog.setTextValue("Zulu")
    dialog.accept()
    qtbot.waitUntil(lambda: "Zulu" in visible_names(page), timeout=TIMEOUT_MS)
    assert_model_name(assembly, "owner/Zulu")


@pytest.mark.process
def test_chats_follow_a_model_renamed_by_the_command_line(
    assembly: Assembly, folders: Folders, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """They follow at the next refresh of the library."""
    monkeypatch.setenv("FACET_HOME", str(folders.data))
    chat = assembly.chat
    chat.set_model("owner/Beta")
    chat.send("Do whales sing?")
    qtbot.waitUntil(lambda: not chat.busy, timeout=TIMEOUT_MS)
    assembly.library.unload("owner/Beta")
    assert main(["models", "rename", "owner/Beta", "Zulu"]) == 0
    with qtbot.waitSignal(assembly.library.refreshed, timeout=TIMEOUT_MS):
        assembly.library.refresh()
    assert_model_name(assembly, "owner/Zulu")


def assert_model_name(assembly: Assembly, model: str) -> None:
    """Assert that the current chat, its messages, the list and the next chat use the name."""
    chat = assembly.chat
    assert chat.model == model
    assert chat.items[-1].message.model == model
    assert chat.can_send
    assert assembly.conversations.index(0).data(ConversationRole.SUBTITLE).startswith(model.rpartition("/")[2])
    chat.new()
    assert chat.model == model


def test_deleting_asks_for_confirmation_with_the_freed_space(page: ModelsPage, qtbot: QtBot, trash: Path) -> None:
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    box = page.findChild(QMessageBox)
    assert "8 KB" in box.informativeText()
    next(button for button in box.buttons() if "Trash" in button.text()).click()
    qtbot.waitUntil(lambda: visible_names(page) == ["Beta"], timeout=TIMEOUT_MS)
    assert (trash / "Alpha").is_dir()


@pytest.mark.process
def test_a_loaded_model_is_not_deleted(page: ModelsPage, workbench: Workbench) -> None:
    """A notification asks to unload it, without a confirmation."""
    workbench.library.load("owner/Alpha")
    page.table.delete_requested.emit()
    assert "Unload" in workbench.findChild(NotificationBanner).notification.message
    assert page.findChild(QMessageBox) is None


def test_dropped_folders_are_added(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    """The frame is hidden after the drop, and the new model is selected."""
    drop(page, QUrl.fromLocalFile(str(make_model(tmp_path / "elsewhere", "maker/Gamma"))))
    assert not page.findChild(DropFrame).isVisible()
    qtbot.waitUntil(lambda: "Gamma" in visible_names(page), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: page.table.current_row().id == "imported/Gamma", timeout=TIMEOUT_MS)


def test_an_imported_model_can_be_quantized_from_the_strip(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    """The strip is hidden after that."""
    drop(page, QUrl.fromLocalFile(str(make_model(tmp_path / "elsewhere", "maker/Gamma"))))
    assert not page.strip.quantize.isVisible()
    qtbot.waitUntil(lambda: page.table.current_row().id == "imported/Gamma", timeout=TIMEOUT_MS)
    page.model_actions.quantize_requested.disconnect()  # it would read the model
    with qtbot.waitSignal(page.model_actions.quantize_requested) as signal:
        page.strip.quantize.click()
    assert signal.args[0].id == "imported/Gamma"
    assert not page.strip.isVisible()


def test_a_model_in_facets_folder_can_be_published_from_the_inspector(page: ModelsPage, qtbot: QtBot) -> None:
    page.model_actions.publish_requested.disconnect()  # it would start a job
    page.table.selectRow(0)
    assert page.inspector.publish.isVisible()
    with qtbot.waitSignal(page.model_actions.publish_requested) as signal:
        page.inspector.publish.click()
    assert signal.args[0].id == page.table.current_row().id


def test_a_dropped_hub_url_opens_discover(page: ModelsPage, qtbot: QtBot) -> None:
    page.discover_requested.disconnect()  # it would ask the real Hub
    with qtbot.waitSignal(page.discover_requested) as signal:
        drop(page, QUrl("https://huggingface.co/maker/Gamma"))
    assert signal.args == ["maker/Gamma"]


def test_other_files_are_not_accepted(page: ModelsPage, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    drop(page, QUrl.fromLocalFile(str(tmp_path / "notes.txt")))
    assert visible_names(page) == ["Alpha", "Beta"]


def test_a_damaged_model_is_listed_but_cannot_chat(
    page: ModelsPage, workbench: Workbench, folders: Folders, qtbot: QtBot
) -> None:
    """Return does nothing."""
    (folders.models / "owner/Alpha/config.json").unlink()
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert visible_names(page) == ["Beta", "Alpha"]
    assert page.table.select("owner/Alpha")
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert page.isVisible()


def test_an_empty_library_shows_a_placeholder(
    assemble: Callable[[Script], Assembly], folders: Folders, qtbot: QtBot
) -> None:
    workbench = assemble(Script()).workbench
    page = workbench.show_page("models")
    shutil.rmtree(folders.models)
    workbench.library.refresh()
    qtbot.waitUntil(lambda: page.findChild(TablePlaceholder).isVisible(), timeout=TIMEOUT_MS)
    assert not page.bar.isVisible()
    assert not page.inspector.isVisible()


@pytest.mark.process
def test_a_gguf_file_of_another_program_is_imported_from_its_row(
    page: ModelsPage, workbench: Workbench, folders: Folders, qtbot: QtBot
) -> None:
    """It has a row in the table, and Return imports it."""
    folder = folders.data / ".lmstudio/models/maker/Tiny-GGUF"
    folder.mkdir(parents=True)
    tiny_model().write(folder / "Tiny.gguf")
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert page.table.select("Tiny-GGUF/Tiny")
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.table.current_row().id == "imported/Tiny", timeout=TIMEOUT_MS)


def test_an_added_folder_is_used_in_place(page: ModelsPage, assembly: Assembly, tmp_path: Path, qtbot: QtBot) -> None:
    """Its models are in the table and the model picker; removing the folder removes only the rows."""
    model = make_model(tmp_path / "disk", "maker/Gamma")
    assembly.findChild(ModelFolders).add(tmp_path / "disk")
    qtbot.waitUntil(lambda: "Gamma" in visible_names(page), timeout=TIMEOUT_MS)
    assembly.chat.set_model("maker/Gamma")
    assert assembly.chat.model == "maker/Gamma"
    page.model_actions.show_folders()
    dialog = page.findChild(FoldersDialog)
    assert "1 model · 8 KB" in [label.text() for label in dialog.findChildren(TextLabel)]
    (remove,) = (button for button in dialog.findChildren(IconButton) if "disk" in button.accessibleName())
    remove.click()
    qtbot.waitUntil(lambda: "Gamma" not in visible_names(page), timeout=TIMEOUT_MS)
    assert model.is_dir()
    assert unnamed_controls(dialog) == []


def test_the_card_opens_on_its_own_page(page: ModelsPage, workbench: Workbench, folders: Folders, qtbot: QtBot) -> None:
    """The inspector has the start of the card; Escape returns to the table. Scripts are removed."""
    card = "---\nlicense: mit\n---\n# About whales\n<script>alert(1)</script>\n\n" + "They sing.\n\n" * 400
    (folders.models / "owner/Beta/README.md").write_text(card)
    assert page.table.select("owner/Beta")
    qtbot.waitUntil(page.inspector.open_card.isVisible, timeout=TIMEOUT_MS)
    qtbot.mouseClick(page.inspector.open_card, Qt.MouseButton.LeftButton)
    assert page.card.isVisible()

    def card_text() -> str:
        return " ".join(prose.toPlainText() for prose in page.card.findChildren(QTextBrowser))

    qtbot.waitUntil(lambda: card_text().count("They sing.") == 400, timeout=TIMEOUT_MS)
    assert card_text().startswith("About whales")
    assert "script" not in card_text()
    assert unnamed_controls(workbench.main_window) == []
    qtbot.keyClick(page.card, Qt.Key.Key_Escape)
    assert not page.card.isVisible()
    assert page.table.hasFocus()


@pytest.mark.process
def test_a_newer_revision_leads_to_discover(
    page: ModelsPage, hub: Hub, folders: Folders, workbench: Workbench, qtbot: QtBot
) -> None:
    """The Hub is asked only when the link is clicked."""
    repository = hub.add(Repository("maker/tiny", updated="2026-11-02T10:00:00.000Z"))
    repository.commit(model_files())
    note = Provenance(source="maker/tiny", revision="0" * 40)
    provenance.write(folders.models / "owner/Alpha", note)
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert page.table.select("owner/Alpha")
    line = page.inspector.revision
    qtbot.waitUntil(line.isVisible, timeout=TIMEOUT_MS)
    assert hub.requests == []
    check, show = (next(b for b in line.findChildren(LinkButton) if word in b.text()) for word in ("Newer", "Discover"))
    qtbot.mouseClick(check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(show.isVisible, timeout=TIMEOUT_MS)
    assert any("2026-11-02" in label.text() for label in line.findChildren(TextLabel))
    page.discover_requested.disconnect()  # it would open the Discover page
    with qtbot.waitSignal(page.discover_requested) as signal:
        qtbot.mouseClick(show, Qt.MouseButton.LeftButton)
    assert signal.args == ["maker/tiny"]
