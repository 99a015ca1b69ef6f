"""Dialog of the folders that Facet searches for models, to add and remove them."""

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.library.folders import ModelFolder, ModelFolders
from app.views.kit.buttons import IconButton
from app.views.kit.controls import SmallButton
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.painting import rounded
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class _FolderEntry(QWidget):
    """A framed folder; a disconnected one is dimmed."""

    def __init__(self, folder: ModelFolder, folders: ModelFolders, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        labels = QVBoxLayout()
        labels.setSpacing(2)
        labels.addWidget(TextLabel(theme, folder.title, bold=True, tone="text" if folder.is_connected else "secondary"))
        location = TextLabel(theme, str(folder.path), role="small", tone="secondary")
        location.setToolTip(plain(str(folder.path)))
        labels.addWidget(location)
        labels.addWidget(TextLabel(theme, folder.summary, role="small", tone="secondary"))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 10, 10)
        row.addLayout(labels, 1)
        if folder.is_added:
            remove = IconButton(theme, "close", f"Stop searching {folder.title}; its files are kept")
            remove.clicked.connect(lambda: folders.remove(folder.path))
            row.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 9, colors.surface, colors.border)


class FoldersDialog(QDialog):
    """Shows the current `folders` while it is open."""

    def __init__(self, folders: ModelFolders, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folders, self._theme = folders, theme
        self.setWindowTitle("Model Folders")
        self.setModal(False)
        self._scroll = VerticalScrollArea(theme, "Model folders")
        self._scroll.column.setSpacing(8)
        self._scroll.column.setContentsMargins(0, 0, 12, 0)
        self._scroll.column.addStretch()
        text = "Facet uses the models in these folders in place. A folder can be on an external disk."
        add = SmallButton(theme, "Add Folder…")
        add.clicked.connect(self.add_folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addWidget(TextLabel(theme, text, tone="secondary", wraps=True))
        column.addWidget(self._scroll, 1)
        column.addWidget(add)
        self._entries: list[QWidget] = []
        folders.changed.connect(self._refresh)
        theme.changed.connect(self.update)
        self.resize(theme.scaled(520), theme.scaled(480))
        self._refresh()

    def add_folder(self) -> None:
        """Ask for a folder and add it."""
        if folder := QFileDialog.getExistingDirectory(self, "Add Model Folder"):
            self._folders.add(Path(folder))

    def _refresh(self) -> None:
        for entry in self._entries:
            entry.hide()
            entry.deleteLater()
        self._entries = [_FolderEntry(folder, self._folders, self._theme) for folder in self._folders.folders]
        for index, entry in enumerate(self._entries):
            self._scroll.column.insertWidget(index, entry)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
