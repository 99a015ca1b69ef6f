"""Sees changes in the folders of the library, made by Facet or by other programs, and has it read anew."""

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer

from app.viewmodels.model_library import ModelLibrary

_DEBOUNCE_MS = 400
_MOST_FOLDERS = 500
"""Watching costs the system something for each; what happens in others shows when the window is next in front."""


class LibraryWatch(QObject):
    """Watches the folder of all models and those of their owners, where models come and go as a whole."""

    def __init__(self, library: ModelLibrary, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._folder = library, folder
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=_DEBOUNCE_MS)
        self._timer.timeout.connect(library.refresh)
        self._watcher.directoryChanged.connect(self._timer.start)
        library.refreshed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        wanted = [str(self._folder), *map(str, _subfolders(self._folder))][:_MOST_FOLDERS]
        watched = set(self._watcher.directories())
        if gone := list(watched - set(wanted)):
            self._watcher.removePaths(gone)
        if new := [path for path in wanted if path not in watched and Path(path).is_dir()]:
            self._watcher.addPaths(new)


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
