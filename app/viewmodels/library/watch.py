"""Refreshes the library when its folders change, by Facet or by other programs."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer

from app.viewmodels.library.library import ModelLibrary

_DEBOUNCE_MS = 400
_MAX_FOLDERS = 500
"""Limit, since each watched folder costs the system resources; others refresh when the window is activated."""


class LibraryWatch(QObject):
    """Watches the roots of the library and their subfolders, where whole models appear and disappear.

    For added roots, which may be on an external disk, it also watches the parent folder.
    """

    def __init__(self, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=_DEBOUNCE_MS)
        self._timer.timeout.connect(library.refresh)
        self._watcher.directoryChanged.connect(self._timer.start)
        library.refreshed.connect(self._update_paths)
        self._update_paths()

    def _update_paths(self) -> None:
        paths = set(list(self._folders())[:_MAX_FOLDERS])
        watched_paths = set(self._watcher.directories())
        if stale_paths := watched_paths - paths:
            self._watcher.removePaths(list(stale_paths))
        if new_paths := paths - watched_paths:
            self._watcher.addPaths(list(new_paths))

    def _folders(self) -> Iterator[str]:
        roots = [root.path for root in self._library.roots]
        parents = [root.path.parent for root in self._library.roots if root.kind == "added"]
        yield from dict.fromkeys(str(_nearest_existing(folder)) for folder in (*roots, *parents))
        for root in roots:
            yield from map(str, _subfolders(root))


def _nearest_existing(folder: Path) -> Path:
    """Return `folder`, or its nearest parent that exists."""
    return next((path for path in (folder, *folder.parents) if path.is_dir()), Path(folder.anchor))


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []
