"""Asks where a chart is to be saved."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

_LONGEST = 100
"""Characters of a name that is suggested; file systems take 255 bytes."""


def suggestion(title: str, kind: str) -> Path:
    """Return a file for a chart with this title, in the person's folder."""
    stem = re.sub(r"[^\w.-]+", "-", title).strip(".-")[:_LONGEST]
    return Path.home() / f"{stem or 'chart'}.{kind}"


def with_ending(file: Path, kind: str) -> Path:
    """Return `file` with the ending of its kind: a name may have points without one, as in "Llama-3.2"."""
    return file if file.suffix.lower() == f".{kind}" else file.with_name(f"{file.name}.{kind}")


def ask_where(parent: QWidget, title: str, kind: str, then: Callable[[Path], None]) -> None:
    """Ask for a file of that kind, and call `then` with it unless the person thinks better of it."""
    chosen, _ = QFileDialog.getSaveFileName(
        parent, "Save the chart", str(suggestion(title, kind)), f"Pictures (*.{kind})"
    )
    if not chosen:
        return
    file = with_ending(Path(chosen), kind)
    if str(file) != chosen and file.exists():
        confirm_replacing(parent, file, then)
    else:
        then(file)


def confirm_replacing(parent: QWidget, file: Path, then: Callable[[Path], None]) -> QMessageBox:
    """Ask before a file is replaced that the dialog did not see, since its name had no ending yet."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", f"Replace “{file.name}”?", parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText("A file of this name is there already.")
    box.setStandardButtons(QMessageBox.StandardButton.Cancel)
    replace = box.addButton("Replace", QMessageBox.ButtonRole.DestructiveRole)
    replace.clicked.connect(lambda: then(file))
    box.finished.connect(box.deleteLater)
    box.open()
    return box
