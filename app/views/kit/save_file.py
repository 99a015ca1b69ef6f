"""Dialogs for saving a file."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


def ask_save_path(parent: QWidget, title: str, name: str, filters: str, save: Callable[[Path], None]) -> None:
    """Suggest `name` in the home folder, and call `save` with the chosen file unless the user cancels.

    `filters` names the file type, as in "Images (*.png)". The file gets the extension of `name`.
    """
    path, _ = QFileDialog.getSaveFileName(parent, title, str(Path.home() / name), filters)
    if path:
        confirm_and_save(parent, path, with_extension(Path(path), Path(name).suffix), save)


def with_extension(file: Path, extension: str) -> Path:
    """Return `file` with the extension. A name may have dots without one, as in "Llama-3.2"."""
    return file if file.suffix.lower() == extension else file.with_name(f"{file.name}{extension}")


def confirm_and_save(parent: QWidget, path: str, file: Path, save: Callable[[Path], None]) -> None:
    """Call `save` with `file`. If it exists and is not the `path` that the dialog asked about, confirm first."""
    if str(file) != path and file.exists():
        confirm_replacing(parent, file, save)
    else:
        save(file)


def confirm_replacing(parent: QWidget, file: Path, save: Callable[[Path], None]) -> QMessageBox:
    """Ask before `file` is replaced, and call `save` if the user agrees."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", f"Replace “{file.name}”?", parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText("A file with this name already exists in that folder.")
    box.setStandardButtons(QMessageBox.StandardButton.Cancel)
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    replace.clicked.connect(lambda: save(file))
    box.finished.connect(box.deleteLater)
    box.open()
    return box
