"""Sees changes in the folders of the library, made by Facet or by other programs, and has it read anew."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer

from app.viewmodels.library.library import ModelLibrary

_DEBOUNCE_MS = 400
_MOST_FOLDERS = 500
"""Watching costs the system something for each; what happens in others shows when the window is next in front."""


class LibraryWatch(QObject):
    """Watches the roots of the library and the folders in them, where models come and go as a whole.

    Of a root that comes and goes, as with an external disk, it watches the folder in which it does so.
    """

    def __init__(self, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=_DEBOUNCE_MS)
        self._timer.timeout.connect(library.refresh)
        self._watcher.directoryChanged.connect(self._timer.start)
        library.refreshed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        wanted = set(list(self._folders())[:_MOST_FOLDERS])
        watched = set(self._watcher.directories())
        if gone := watched - wanted:
            self._watcher.removePaths(list(gone))
        if new := wanted - watched:
            self._watcher.addPaths(list(new))

    def _folders(self) -> Iterator[str]:
        roots = [root.path for root in self._library.roots]
        above = [root.path.parent for root in self._library.roots if root.kind == "added"]
        yield from dict.fromkeys(str(_nearest(folder)) for folder in (*roots, *above))
        for root in roots:
            yield from map(str, _subfolders(root))


def _nearest(folder: Path) -> Path:
    """Return the folder if it is there, or else the closest one above it that is."""
    return next((one for one in (folder, *folder.parents) if one.is_dir()), Path(folder.anchor))


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
