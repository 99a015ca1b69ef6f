"""Actions on the models of the page, with their dialogs and menus."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QMessageBox, QWidget

from app.viewmodels.library.file_actions import ModelFileActions
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.imports import ModelImports
from app.viewmodels.library.library import Row, problem_of
from app.viewmodels.library.table import intact_model
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme
from app.views.models.folders_dialog import FoldersDialog


class ModelActions(QObject):
    """Runs the actions; `card_requested` is for the selected model."""

    chat_requested = Signal(str)  # model id
    quantize_requested = Signal(object)  # ModelDescription
    publish_requested = Signal(object)  # ModelDescription
    lab_requested = Signal(object, str)  # ModelDescription, name of a study with the model or ""
    card_requested = Signal()

    def __init__(
        self,
        file_actions: ModelFileActions,
        imports: ModelImports,
        folders: ModelFolders,
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._file_actions, self._imports, self._widget = file_actions, imports, parent
        self._folders, self._theme = folders, theme
        self._folders_dialog: FoldersDialog | None = None

    def chat(self, row: Row | None) -> None:
        """Start a chat with the model, or import it if it must be imported first."""
        model = intact_model(row) if row else None
        if model and model.can_be_imported:
            self._imports.add([model.path])
        elif row and not problem_of(row):
            self.chat_requested.emit(row.id)

    def quantize(self, row: Row | None) -> None:
        if row and (model := intact_model(row)):
            self.quantize_requested.emit(model)

    def measure(self, row: Row | None, study: str = "") -> None:
        """Show the results of the model in `study`, or start measuring it."""
        if row and (model := intact_model(row)):
            self.lab_requested.emit(model, study)

    def can_publish(self, row: Row | None) -> bool:
        """Return True if the model is in Facet's models folder, as all models are that Facet converted."""
        return bool(row and intact_model(row) and self._file_actions.is_managed(row))

    def publish(self, row: Row | None) -> None:
        if row and self.can_publish(row):
            self.publish_requested.emit(intact_model(row))

    def reveal(self, row: Row | None) -> None:
        """Select the folder in the Finder; elsewhere open it."""
        if row is None:
            return
        if sys.platform == "darwin":
            subprocess.Popen(["/usr/bin/open", "-R", str(row.path)])  # noqa: S603 - fixed program
        else:
            folder = row.path if row.path.is_dir() else row.path.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def rename(self, row: Row | None) -> None:
        if row is None or not self._file_actions.is_managed(row):
            return
        dialog = QInputDialog(self._widget)
        dialog.setWindowTitle("Rename")
        dialog.setLabelText(plain(f"New name for {row.name}:"))
        dialog.setTextValue(row.name)
        dialog.setOkButtonText("Rename")
        dialog.textValueSelected.connect(lambda name: self._file_actions.rename(row, name))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def delete(self, row: Row | None) -> None:
        """Move the model to the Trash after a confirmation."""
        if row is None:
            return
        if self._file_actions.lock_reason(row):
            self._file_actions.delete(row)  # reports the reason
            return
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", f"Move {row.name} to the Trash?", parent=self._widget)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(f"{self._file_actions.describe_deletion(row)} Your chats are kept.".strip())
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        confirm = box.addButton("Move to Trash", QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(confirm)
        confirm.clicked.connect(lambda: self._file_actions.delete(row))
        box.finished.connect(box.deleteLater)
        box.open()

    def show_add_menu(self, below: QWidget) -> None:
        """Show the menu for adding models below the widget."""
        menu = QMenu(self._widget)
        menu.addAction("Copy Model Folder to Facet…", self._copy_folder)
        menu.addAction("Import GGUF File…", self._import_files)
        menu.addSeparator()
        menu.addAction("Use Models in Another Folder…", self._add_folder)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(below.mapToGlobal(QPoint(0, below.height() + 4)))

    def show_folders(self) -> None:
        """Show the folders that are searched for models."""
        if self._folders_dialog is None:
            self._folders_dialog = FoldersDialog(self._folders, self._theme, self._widget)
        self._folders_dialog.show()
        self._folders_dialog.raise_()
        self._folders_dialog.activateWindow()

    def show_menu(self, row: Row | None, position: QPoint, *, has_card: bool) -> None:
        """Show the context menu of the model at a position on the screen."""
        if row is None:
            return
        menu = QMenu(self._widget)
        menu.addAction("Chat", lambda: self.chat(row)).setEnabled(not problem_of(row))
        menu.addAction("Quantize…", lambda: self.quantize(row)).setEnabled(intact_model(row) is not None)
        menu.addAction("Measure…", lambda: self.measure(row)).setEnabled(intact_model(row) is not None)
        menu.addAction("Publish…", lambda: self.publish(row)).setEnabled(self.can_publish(row))
        menu.addAction("Open Model Card", self.card_requested.emit).setEnabled(has_card)
        menu.addAction("Show in Finder", lambda: self.reveal(row))
        menu.addSeparator()
        menu.addAction("Rename…", lambda: self.rename(row)).setEnabled(self._file_actions.is_managed(row))
        menu.addAction("Move to Trash…", lambda: self.delete(row)).setEnabled(not self._file_actions.lock_reason(row))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(position)

    def _copy_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self._widget, "Copy Model Folder"):
            self._imports.add([Path(folder)])

    def _add_folder(self) -> None:
        self.show_folders()
        if self._folders_dialog:
            self._folders_dialog.add_folder()

    def _import_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self._widget, "Import GGUF Files", filter="GGUF files (*.gguf)")
        self._imports.add(map(Path, files))
