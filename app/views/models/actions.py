"""What can be done with a model of the page, asked where it must be."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget

from app.viewmodels.library.file_actions import ModelKeeping
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.imports import ModelImports
from app.viewmodels.library.library import Row, problem_of
from app.viewmodels.library.table import whole
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme
from app.views.models.folders_dialog import FoldersDialog


class ModelActions(QObject):
    """`chat_requested` tells the id of the model to chat with; `card_requested` is about the marked one."""

    chat_requested = Signal(str)
    quantize_requested = Signal(object)  # ModelDescription
    publish_requested = Signal(object)  # ModelDescription
    lab_requested = Signal(object, str)  # ModelDescription, the name of a study that has it or ""
    card_requested = Signal()

    def __init__(
        self, keeping: ModelKeeping, imports: ModelImports, folders: ModelFolders, theme: Theme, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._keeping, self._imports, self._widget = keeping, imports, parent
        self._folders, self._theme = folders, theme
        self._folders_dialog: FoldersDialog | None = None

    def chat(self, row: Row | None) -> None:
        """Begin a chat with the model, or make a model to chat with of what can only be imported."""
        model = whole(row) if row else None
        if model and model.can_be_imported:
            self._imports.add([model.path])
        elif row and not problem_of(row):
            self.chat_requested.emit(row.id)

    def quantize(self, row: Row | None) -> None:
        if row and (model := whole(row)):
            self.quantize_requested.emit(model)

    def measure(self, row: Row | None, study: str = "") -> None:
        """Show what was measured of the model in `study`, or measure it."""
        if row and (model := whole(row)):
            self.lab_requested.emit(model, study)

    def can_publish(self, row: Row | None) -> bool:
        """Tell whether the model lies in Facet's own folder, as all do that it has made."""
        return bool(row and whole(row) and self._keeping.is_own(row))

    def publish(self, row: Row | None) -> None:
        if row and self.can_publish(row):
            self.publish_requested.emit(whole(row))

    def reveal(self, row: Row | None) -> None:
        """Show the folder in the file manager, marked in the one above where the system can do that."""
        if row is None:
            return
        if sys.platform == "darwin":
            subprocess.Popen(["/usr/bin/open", "-R", str(row.path)])  # noqa: S603 - a fixed program
        else:
            folder = row.path if row.path.is_dir() else row.path.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def rename(self, row: Row | None) -> None:
        if row is None or not self._keeping.is_own(row):
            return
        dialog = QInputDialog(self._widget)
        dialog.setWindowTitle("Rename")
        dialog.setLabelText(plain(f"New name of {row.name}:"))
        dialog.setTextValue(row.name)
        dialog.setOkButtonText("Rename")
        dialog.textValueSelected.connect(lambda name: self._keeping.rename(row, name))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def delete(self, row: Row | None) -> None:
        """Move the model to the trash, if the person still wants it on hearing what that frees."""
        if row is None:
            return
        if self._keeping.why_kept(row):
            self._keeping.delete(row)  # tells the reason
            return
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", f"Move {row.name} to the trash?", parent=self._widget)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(f"{self._keeping.what_it_frees(row)} Chats with it stay.".strip())
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        confirm = box.addButton("Move to the Trash", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(confirm)
        confirm.clicked.connect(lambda: self._keeping.delete(row))
        box.finished.connect(box.deleteLater)
        box.open()

    def ask_for_models(self, below: QWidget) -> None:
        """Let the person choose what to add, from a menu below the widget that was pressed."""
        menu = QMenu(self._widget)
        menu.addAction("Copy a Model Folder into Facet…", self._ask_for_folder)
        menu.addAction("Import a GGUF File…", self._ask_for_file)
        menu.addSeparator()
        menu.addAction("Use Models in Another Folder…", self._ask_for_root)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(below.mapToGlobal(QPoint(0, below.height() + 4)))

    def show_folders(self) -> None:
        """Show in which folders models are looked for."""
        if self._folders_dialog is None:
            self._folders_dialog = FoldersDialog(self._folders, self._theme, self._widget)
        self._folders_dialog.show()
        self._folders_dialog.raise_()
        self._folders_dialog.activateWindow()

    def show_menu(self, row: Row | None, where: QPoint, *, has_card: bool) -> None:
        """Offer all that can be done with the model, at the point on the screen."""
        if row is None:
            return
        menu = QMenu(self._widget)
        menu.addAction("Chat", lambda: self.chat(row)).setEnabled(not problem_of(row))
        menu.addAction("Quantize…", lambda: self.quantize(row)).setEnabled(whole(row) is not None)
        menu.addAction("Measure…", lambda: self.measure(row)).setEnabled(whole(row) is not None)
        menu.addAction("Publish…", lambda: self.publish(row)).setEnabled(self.can_publish(row))
        menu.addAction("Open Card", self.card_requested.emit).setEnabled(has_card)
        menu.addAction("Show in the File Manager", lambda: self.reveal(row))
        menu.addSeparator()
        menu.addAction("Rename…", lambda: self.rename(row)).setEnabled(self._keeping.is_own(row))
        menu.addAction("Move to the Trash…", lambda: self.delete(row)).setEnabled(not self._keeping.why_kept(row))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _ask_for_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self._widget, "Add a model"):
            self._imports.add([Path(folder)])

    def _ask_for_root(self) -> None:
        self.show_folders()
        if self._folders_dialog:
            self._folders_dialog.ask_for_folder()

    def _ask_for_file(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self._widget, "Add GGUF files", filter="GGUF files (*.gguf)")
        self._imports.add(map(Path, files))
