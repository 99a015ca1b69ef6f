from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListView
from pytestqt.qtbot import QtBot

from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelRole
from app.views.chat.model_popup import ModelPopup
from app.views.shell.workbench import Workbench
from mlx_engine.folders import Folders

TIMEOUT_MS = 20_000


@pytest.fixture
def popup(workbench: Workbench) -> ModelPopup:
    workbench.picker.open_list()
    return workbench.picker.findChild(ModelPopup)


def list_of(popup: ModelPopup) -> QListView:
    return popup.findChild(QListView)


def button(popup: ModelPopup, text: str) -> object:
    return next(child for child in popup.children() if getattr(child, "text", str)() == text)


def test_the_button_shows_the_model(workbench: Workbench) -> None:
    """Text and accessible name have the name of the model."""
    assert workbench.picker.text() == "Alpha"
    assert workbench.picker.accessibleName() == "Model: Alpha"


def test_a_model_is_chosen_by_keyboard(workbench: Workbench, popup: ModelPopup, qtbot: QtBot) -> None:
    """The list opens at the chosen model; an arrow key and Return choose another one."""
    models = list_of(popup)
    assert models.currentIndex().data() == "Alpha"
    qtbot.keyClick(models, Qt.Key.Key_Down)
    qtbot.keyClick(models, Qt.Key.Key_Return)
    assert workbench.chat.model == "owner/Beta"
    assert workbench.picker.text() == "Beta"
    assert not popup.isVisible()


def test_a_broken_model_cannot_be_chosen(
    workbench: Workbench, popup: ModelPopup, folders: Folders, qtbot: QtBot
) -> None:
    """A damaged model is listed with the reason."""
    (folders.models / "owner/Beta/model.safetensors").write_bytes(b"cut")
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    models = list_of(popup)
    row = workbench.library.row_of("owner/Beta")
    models.setCurrentIndex(workbench.library.index(row, 0))
    qtbot.keyClick(models, Qt.Key.Key_Return)
    assert workbench.library.index(row, 0).data(ModelRole.BROKEN)
    assert workbench.chat.model == "owner/Alpha"
    assert popup.isVisible()


@pytest.mark.process
def test_the_selected_model_is_loaded_and_unloaded(workbench: Workbench, popup: ModelPopup, qtbot: QtBot) -> None:
    """The same button loads and unloads."""
    button(popup, "Load").click()
    qtbot.waitUntil(lambda: workbench.picker.note == "Ready", timeout=TIMEOUT_MS)
    button(popup, "Unload").click()
    index = workbench.library.index(0, 0)
    qtbot.waitUntil(lambda: not describe_engine(index.data(ModelRole.STATE)).is_loaded, timeout=TIMEOUT_MS)


def test_an_empty_library_has_placeholders(
    workbench: Workbench, popup: ModelPopup, folders: Folders, qtbot: QtBot
) -> None:
    """Picker and page say that there are no models."""
    for config in Path(folders.models).rglob("*"):
        if config.is_file():
            config.unlink()
    for folder in sorted(Path(folders.models).rglob("*"), reverse=True):
        folder.rmdir()
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    assert workbench.picker.text() == "Choose a model"
    assert not workbench.chat.can_send
