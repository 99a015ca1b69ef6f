"""The page of models in the window."""

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
from app.views.models.notice import DropFrame, Nothing
from app.views.models.page import ModelsPage
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
    """The page, with the first model marked."""
    page = workbench.show_page("models")
    page.table.selectRow(0)
    return page


def shown(page: ModelsPage) -> list[str]:
    rows = page.table.model()
    return [rows.index(number, 0).data() for number in range(rows.rowCount())]


def drop(page: ModelsPage, *urls: QUrl) -> None:
    """Drag them over the page and let them go."""
    files = QMimeData()
    files.setUrls(urls)
    rest = (Qt.DropAction.CopyAction, files, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(page, QDragEnterEvent(QPoint(50, 50), *rest))
    QApplication.sendEvent(page, QDropEvent(QPointF(50, 50), *rest))


def test_the_page_is_reached_by_menu_and_sidebar(workbench: Workbench) -> None:
    """The switch, the menu and the title agree on what is shown, and a new chat leads back."""
    action(workbench, "page_models").trigger()
    assert workbench.findChild(ModelsPage).isVisible()
    assert action(workbench, "page_models").isChecked()
    assert workbench.main_window.windowTitle() == "Models"
    workbench.new_chat()
    assert workbench.page.isVisible()
    assert action(workbench, "page_chat").isChecked()


def test_the_page_is_not_built_before_it_is_wanted(workbench: Workbench) -> None:
    """The start of the window does not pay for it."""
    assert workbench.findChild(ModelsPage) is None


def test_every_control_has_a_name(workbench: Workbench, page: ModelsPage) -> None:
    """A screen reader can say what every button and field of the page is."""
    assert page.inspector.isVisible()
    assert unnamed_controls(workbench.main_window) == []


@pytest.mark.parametrize("percent", [100, 200])
def test_the_page_fits_into_a_small_window(workbench: Workbench, page: ModelsPage, percent: int) -> None:
    """At 900 by 600 and at twice the text size the window stays as small as it is, and the inspector can be read."""
    workbench.set_text_size(percent)
    workbench.main_window.resize(900, 600)
    QApplication.sendPostedEvents()
    assert (workbench.main_window.width(), workbench.main_window.height()) == (900, 600)
    assert page.inspector.isVisible()
    assert page.inspector.width() + 1 >= page.width() // 3


def test_narrow_tables_show_what_matters_most(page: ModelsPage, workbench: Workbench) -> None:
    """Columns go as the room does, and come back with it; the name stays."""
    workbench.main_window.resize(1500, 800)
    page.inspector.closed.emit()
    QApplication.sendPostedEvents()
    wide = page.table.horizontalHeader().hiddenSectionCount()
    workbench.main_window.resize(800, 600)
    QApplication.sendPostedEvents()
    assert page.table.horizontalHeader().hiddenSectionCount() > wide
    assert not page.table.isColumnHidden(0)
    assert page.table.columnWidth(0) > 100


def test_words_and_facets_filter_and_can_be_cleared(page: ModelsPage, qtbot: QtBot) -> None:
    """What matches nothing says so, and offers to show all again."""
    qtbot.keyClicks(page.bar.words, "beta")
    assert shown(page) == ["Beta"]
    qtbot.keyClicks(page.bar.words, " and more")
    nothing = page.findChild(Nothing)
    assert nothing.isVisible()
    nothing.pressed.emit()
    assert shown(page) == ["Alpha", "Beta"]
    chip = next(chip for chip in page.findChildren(FacetChip) if chip.text() == "Source")
    chip.menu().actions()[0].trigger()
    assert chip.text() == "Source: Facet"


def test_the_keyboard_leads_from_the_filter_to_a_chat(page: ModelsPage, workbench: Workbench, qtbot: QtBot) -> None:
    """Down goes into the table, Return begins a new chat with the model that is marked."""
    page.bar.words.setFocus()
    qtbot.keyClick(page.bar.words, Qt.Key.Key_Down)
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert workbench.page.isVisible()
    assert workbench.chat.model == "owner/Beta"


def test_escape_closes_the_inspector(page: ModelsPage, qtbot: QtBot) -> None:
    qtbot.keyClick(page.table, Qt.Key.Key_Escape)
    assert not page.inspector.isVisible()
    assert page.table.current_row() is None


def test_a_model_is_renamed_from_the_page(page: ModelsPage, qtbot: QtBot) -> None:
    """It stays marked under its new name."""
    page.inspector.rename_requested.emit()
    dialog = page.findChild(QInputDialog)
    dialog.setTextValue("Zulu")
    dialog.accept()
    qtbot.waitUntil(lambda: shown(page) == ["Beta", "Zulu"], timeout=TIMEOUT_MS)
    assert page.table.current_row().name == "Zulu"


@pytest.mark.process
def test_chats_follow_a_model_that_is_renamed(assembly: Assembly, qtbot: QtBot) -> None:
    """The one on the screen, its answers, the list and the next chat name it by its new name and go on with it."""
    chat = assembly.chat
    chat.set_model("owner/Beta")
    chat.send("Do whales sing?")
    qtbot.waitUntil(lambda: not chat.busy, timeout=TIMEOUT_MS)
    assembly.library.unload("owner/Beta")
    page = assembly.workbench.show_page("models")
    assert page.table.mark("owner/Beta")
    page.inspector.rename_requested.emit()
    dialog = page.findChild(QInputDialog)
    dialog.setTextValue("Zulu")
    dialog.accept()
    qtbot.waitUntil(lambda: "Zulu" in shown(page), timeout=TIMEOUT_MS)
    assert_called(assembly, "owner/Zulu")


@pytest.mark.process
def test_chats_follow_a_model_that_the_command_line_has_renamed(
    assembly: Assembly, folders: Folders, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """As soon as the window looks at its models, which it does when it comes to the front."""
    monkeypatch.setenv("FACET_HOME", str(folders.data))
    chat = assembly.chat
    chat.set_model("owner/Beta")
    chat.send("Do whales sing?")
    qtbot.waitUntil(lambda: not chat.busy, timeout=TIMEOUT_MS)
    assembly.library.unload("owner/Beta")
    assert main(["models", "rename", "owner/Beta", "Zulu"]) == 0
    with qtbot.waitSignal(assembly.library.refreshed, timeout=TIMEOUT_MS):
        assembly.library.refresh()
    assert_called(assembly, "owner/Zulu")


def assert_called(assembly: Assembly, model: str) -> None:
    """The conversation on the screen, what was said in it, the list and the next conversation have the model's name."""
    chat = assembly.chat
    assert chat.model == model
    assert chat.items[-1].message.model == model
    assert chat.can_send
    assert assembly.conversations.index(0).data(ConversationRole.SUBTITLE).startswith(model.rpartition("/")[2])
    chat.new()
    assert chat.model == model


def test_deleting_asks_with_what_it_frees(page: ModelsPage, qtbot: QtBot, trash: Path) -> None:
    """Only the button that says so deletes."""
    qtbot.keyClick(page.table, Qt.Key.Key_Delete)
    box = page.findChild(QMessageBox)
    assert "8 KB" in box.informativeText()
    next(button for button in box.buttons() if "Trash" in button.text()).click()
    qtbot.waitUntil(lambda: shown(page) == ["Beta"], timeout=TIMEOUT_MS)
    assert (trash / "Alpha").is_dir()


@pytest.mark.process
def test_a_loaded_model_is_not_deleted(page: ModelsPage, workbench: Workbench) -> None:
    """The banner says what to do first; nothing is asked."""
    workbench.library.load("owner/Alpha")
    page.table.delete_requested.emit()
    assert "unload" in workbench.findChild(NotificationBanner).notification.message
    assert page.findChild(QMessageBox) is None


def test_dropped_folders_are_added(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    """The frame that says so is gone after the drop, and the new model is marked."""
    drop(page, QUrl.fromLocalFile(str(make_model(tmp_path / "elsewhere", "maker/Gamma"))))
    assert not page.findChild(DropFrame).isVisible()
    qtbot.waitUntil(lambda: "Gamma" in shown(page), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: page.table.current_row().id == "imported/Gamma", timeout=TIMEOUT_MS)


def test_what_was_added_can_be_quantized_from_the_strip(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    """It stands there until then, or until it is closed."""
    drop(page, QUrl.fromLocalFile(str(make_model(tmp_path / "elsewhere", "maker/Gamma"))))
    assert not page.strip.quantize.isVisible()
    qtbot.waitUntil(lambda: page.table.current_row().id == "imported/Gamma", timeout=TIMEOUT_MS)
    page.offers.quantize_requested.disconnect()  # it would read the model
    with qtbot.waitSignal(page.offers.quantize_requested) as told:
        page.strip.quantize.click()
    assert told.args[0].id == "imported/Gamma"
    assert not page.strip.isVisible()


def test_a_model_of_facets_own_is_published_from_the_inspector(page: ModelsPage, qtbot: QtBot) -> None:
    """The button leads to the page for it."""
    page.offers.publish_requested.disconnect()  # it would start a job
    page.table.selectRow(0)
    assert page.inspector.publish.isVisible()
    with qtbot.waitSignal(page.offers.publish_requested) as told:
        page.inspector.publish.click()
    assert told.args[0].id == page.table.current_row().id


def test_an_address_of_the_hub_is_opened(page: ModelsPage, qtbot: QtBot) -> None:
    """Dragged out of a browser, it says which repository is wanted."""
    page.discover_requested.disconnect()  # it would ask the real Hub
    with qtbot.waitSignal(page.discover_requested) as told:
        drop(page, QUrl("https://huggingface.co/maker/Gamma"))
    assert told.args == ["maker/Gamma"]


def test_files_of_other_kinds_are_not_taken(page: ModelsPage, tmp_path: Path) -> None:
    """The pointer says so already while they are dragged."""
    (tmp_path / "notes.txt").write_text("hello")
    drop(page, QUrl.fromLocalFile(str(tmp_path / "notes.txt")))
    assert shown(page) == ["Alpha", "Beta"]


def test_a_damaged_model_can_be_seen_but_not_chatted_with(
    page: ModelsPage, workbench: Workbench, folders: Folders, qtbot: QtBot
) -> None:
    """Its row says what is wrong; Return does nothing."""
    (folders.models / "owner/Alpha/config.json").unlink()
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert shown(page) == ["Beta", "Alpha"]
    assert page.table.mark("owner/Alpha")
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert page.isVisible()


def test_an_empty_library_says_how_to_begin(
    assemble: Callable[[Script], Assembly], folders: Folders, qtbot: QtBot
) -> None:
    workbench = assemble(Script()).workbench
    page = workbench.show_page("models")
    shutil.rmtree(folders.models)
    workbench.library.refresh()
    qtbot.waitUntil(lambda: page.findChild(Nothing).isVisible(), timeout=TIMEOUT_MS)
    assert not page.bar.isVisible()
    assert not page.inspector.isVisible()


@pytest.mark.process
def test_a_gguf_file_of_another_program_is_imported_from_its_row(
    page: ModelsPage, workbench: Workbench, folders: Folders, qtbot: QtBot
) -> None:
    """It is shown where it lies; Return, or the button in the place of Chat, makes a model of it."""
    others = folders.data / ".lmstudio/models/maker/Tiny-GGUF"
    others.mkdir(parents=True)
    tiny_model().write(others / "Tiny.gguf")
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert page.table.mark("Tiny-GGUF/Tiny")
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.table.current_row().id == "imported/Tiny", timeout=TIMEOUT_MS)


def test_a_folder_that_is_added_is_used_where_it_is(
    page: ModelsPage, assembly: Assembly, tmp_path: Path, qtbot: QtBot
) -> None:
    """Its models are in the table and in the picker of the chat; removing it takes away the rows and nothing else."""
    model = make_model(tmp_path / "disk", "maker/Gamma")
    assembly.findChild(ModelFolders).add(tmp_path / "disk")
    qtbot.waitUntil(lambda: "Gamma" in shown(page), timeout=TIMEOUT_MS)
    assembly.chat.set_model("maker/Gamma")
    assert assembly.chat.model == "maker/Gamma"
    page.offers.show_folders()
    dialog = page.findChild(FoldersDialog)
    assert "1 model · 8 KB" in [words.text() for words in dialog.findChildren(TextLabel)]
    (remove,) = (button for button in dialog.findChildren(IconButton) if "disk" in button.accessibleName())
    remove.click()
    qtbot.waitUntil(lambda: "Gamma" not in shown(page), timeout=TIMEOUT_MS)
    assert model.is_dir()
    assert unnamed_controls(dialog) == []


def test_the_card_opens_as_large_as_the_window(
    page: ModelsPage, workbench: Workbench, folders: Folders, qtbot: QtBot
) -> None:
    """Its beginning is in the inspector; Escape leads back to the table. What it would run or fetch is left out."""
    card = "---\nlicense: mit\n---\n# About whales\n<script>alert(1)</script>\n\n" + "They sing.\n\n" * 400
    (folders.models / "owner/Beta/README.md").write_text(card)
    assert page.table.mark("owner/Beta")
    qtbot.waitUntil(page.inspector.open_card.isVisible, timeout=TIMEOUT_MS)
    qtbot.mouseClick(page.inspector.open_card, Qt.MouseButton.LeftButton)
    assert page.card.isVisible()

    def words() -> str:
        return " ".join(prose.toPlainText() for prose in page.card.findChildren(QTextBrowser))

    qtbot.waitUntil(lambda: words().count("They sing.") == 400, timeout=TIMEOUT_MS)
    assert words().startswith("About whales")
    assert "script" not in words()
    assert unnamed_controls(workbench.main_window) == []
    qtbot.keyClick(page.card, Qt.Key.Key_Escape)
    assert not page.card.isVisible()
    assert page.table.hasFocus()


@pytest.mark.process
def test_a_newer_revision_leads_to_discover(
    page: ModelsPage, hub: Hub, folders: Folders, workbench: Workbench, qtbot: QtBot
) -> None:
    """The question is asked when its line is pressed, and nothing before that."""
    repository = hub.add(Repository("maker/tiny", updated="2026-11-02T10:00:00.000Z"))
    repository.commit(model_files())
    note = Provenance(source="maker/tiny", revision="0" * 40)
    provenance.write(folders.models / "owner/Alpha", note)
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert page.table.mark("owner/Alpha")
    line = page.inspector.revision
    qtbot.waitUntil(line.isVisible, timeout=TIMEOUT_MS)
    assert hub.seen == []
    ask, shows = (next(b for b in line.findChildren(LinkButton) if word in b.text()) for word in ("newer", "Discover"))
    qtbot.mouseClick(ask, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(shows.isVisible, timeout=TIMEOUT_MS)
    assert any("2026-11-02" in words.text() for words in line.findChildren(TextLabel))
    page.discover_requested.disconnect()  # the page is a matter of its own
    with qtbot.waitSignal(page.discover_requested) as told:
        qtbot.mouseClick(shows, Qt.MouseButton.LeftButton)
    assert told.args == ["maker/tiny"]
