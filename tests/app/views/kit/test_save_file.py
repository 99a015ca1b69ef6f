"""Where a file is saved."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.views.kit.save_file import ask_save_path, confirm_replacing, with_ending


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


def test_a_name_with_a_point_gets_its_ending_too(tmp_path: Path) -> None:
    assert with_ending(tmp_path / "Llama-3.2", ".png").name == "Llama-3.2.png"
    assert with_ending(tmp_path / "chart.PNG", ".png").name == "chart.PNG"


def test_what_would_be_replaced_unseen_is_asked_about(parent: QWidget, tmp_path: Path) -> None:
    """The dialog has asked about "chart", not about "chart.png"."""
    file, written = tmp_path / "chart.png", []
    confirm_replacing(parent, file, written.append).button(QMessageBox.StandardButton.Cancel).click()
    assert not written
    box = confirm_replacing(parent, file, written.append)
    next(button for button in box.buttons() if button.text() == "Replace").click()
    assert written == [file]


@pytest.mark.parametrize(
    ("chosen", "is_there", "asks"), [("a.png", True, False), ("a", True, True), ("a", False, False)]
)
def test_the_person_is_asked_once(
    chosen: str, is_there: bool, asks: bool, parent: QWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the system's dialog, or by Facet where that has seen another name."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / chosen), ""))
    if is_there:
        (tmp_path / "a.png").touch()
    written: list[Path] = []
    ask_save_path(parent, "Save", "a.png", "Pictures (*.png)", written.append)
    boxes = parent.findChildren(QMessageBox)
    assert bool(boxes) == asks
    for box in boxes:
        box.reject()
    assert written == ([] if asks else [tmp_path / "a.png"])
