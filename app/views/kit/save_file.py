"""Asks where a file is to be saved."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


def ask_save_path(parent: QWidget, question: str, name: str, kinds: str, then: Callable[[Path], None]) -> None:
    """Suggest `name` in the person's folder, and call `then` with the file unless the person thinks better of it.

    `kinds` names the kind of file, as in "Pictures (*.png)"; the file gets the ending of `name`.
    """
    chosen, _ = QFileDialog.getSaveFileName(parent, question, str(Path.home() / name), kinds)
    if chosen:
        go_on(parent, chosen, with_ending(Path(chosen), Path(name).suffix), then)


def with_ending(file: Path, ending: str) -> Path:
    """Return `file` with the ending: a name may have points without one, as in "Llama-3.2"."""
    return file if file.suffix.lower() == ending else file.with_name(f"{file.name}{ending}")


def go_on(parent: QWidget, chosen: str, file: Path, then: Callable[[Path], None]) -> None:
    """Call `then` with `file`; ask before, if the dialog in which `chosen` was chosen did not see what is replaced."""
    if str(file) != chosen and file.exists():
        confirm_replacing(parent, file, then)
    else:
        then(file)


def confirm_replacing(parent: QWidget, file: Path, then: Callable[[Path], None]) -> QMessageBox:
    """Ask whether `file` is to be replaced, and call `then` if it is."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", f"Replace “{file.name}”?", parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText("A file of this name is there already.")
    box.setStandardButtons(QMessageBox.StandardButton.Cancel)
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    replace.clicked.connect(lambda: then(file))
    box.finished.connect(box.deleteLater)
    box.open()
    return box
