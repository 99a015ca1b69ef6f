"""The folders in which Facet looks for models, and adding and removing them."""

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.library.folders import Folder, ModelFolders
from app.views.kit.buttons import IconButton
from app.views.kit.controls import SmallButton
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.painting import rounded
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class _FolderEntry(QWidget):
    """One folder in a frame; what is away is written in a quieter colour."""

    def __init__(self, folder: Folder, folders: ModelFolders, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(TextLabel(theme, folder.title, bold=True, tone="text" if folder.is_there else "secondary"))
        place = TextLabel(theme, str(folder.path), role="small", tone="secondary")
        place.setToolTip(plain(str(folder.path)))
        words.addWidget(place)
        words.addWidget(TextLabel(theme, folder.state, role="small", tone="secondary"))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 10, 10)
        row.addLayout(words, 1)
        if folder.is_added:
            remove = IconButton(theme, "close", f"Stop looking in {folder.title}; nothing in it is deleted")
            remove.clicked.connect(lambda: folders.remove(folder.path))
            row.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 9, colors.surface, colors.border)


class FoldersDialog(QDialog):
    """Shows `folders` as they are while it is open."""

    def __init__(self, folders: ModelFolders, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folders, self._theme = folders, theme
        self.setWindowTitle("Folders of Models")
        self.setModal(False)
        self._scroll = VerticalScrollArea(theme, "Folders of models")
        self._scroll.column.setSpacing(8)
        self._scroll.column.setContentsMargins(0, 0, 12, 0)
        self._scroll.column.addStretch()
        line = "Models in these folders are used where they are. A folder may be on a disk that comes and goes."
        add = SmallButton(theme, "Add a Folder…")
        add.clicked.connect(self.ask_for_folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 18)
        column.setSpacing(12)
        column.addWidget(TextLabel(theme, line, tone="secondary", wraps=True))
        column.addWidget(self._scroll, 1)
        column.addWidget(add)
        self._entries: list[QWidget] = []
        folders.changed.connect(self._follow)
        theme.changed.connect(self.update)
        self.resize(theme.scaled(520), theme.scaled(480))
        self._follow()

    def ask_for_folder(self) -> None:
        """Let the person choose a folder to look into."""
        if folder := QFileDialog.getExistingDirectory(self, "Look for models in this folder"):
            self._folders.add(Path(folder))

    def _follow(self) -> None:
        for entry in self._entries:
            entry.hide()
            entry.deleteLater()
        self._entries = [_FolderEntry(folder, self._folders, self._theme) for folder in self._folders.folders]
        for place, entry in enumerate(self._entries):
            self._scroll.column.insertWidget(place, entry)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
