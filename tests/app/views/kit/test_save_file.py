"""Saving a file under a name that the user chooses."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.views.kit.save_file import ask_save_path, confirm_replacing, with_extension


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


def test_a_name_with_a_dot_gets_the_extension(tmp_path: Path) -> None:
    assert with_extension(tmp_path / "Llama-3.2", ".png").name == "Llama-3.2.png"
    assert with_extension(tmp_path / "chart.PNG", ".png").name == "chart.PNG"


def test_an_unexpected_replacement_is_confirmed(parent: QWidget, tmp_path: Path) -> None:
    """The dialog asked about "chart", not about "chart.png"."""
    file, written = tmp_path / "chart.png", []
    confirm_replacing(parent, file, written.append).button(QMessageBox.StandardButton.Cancel).click()
    assert not written
    box = confirm_replacing(parent, file, written.append)
    next(button for button in box.buttons() if button.text() == "Replace").click()
    assert written == [file]


@pytest.mark.parametrize(("name", "exists", "asks"), [("a.png", True, False), ("a", True, True), ("a", False, False)])
def test_the_user_is_asked_once(
    name: str, exists: bool, asks: bool, parent: QWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's dialog asks, or Facet does if the dialog checked another name."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), ""))
    if exists:
        (tmp_path / "a.png").touch()
    written: list[Path] = []
    ask_save_path(parent, "Save", "a.png", "Images (*.png)", written.append)
    boxes = parent.findChildren(QMessageBox)
    assert bool(boxes) == asks
    for box in boxes:
        box.reject()
    assert written == ([] if asks else [tmp_path / "a.png"])
