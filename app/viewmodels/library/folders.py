"""Folders that Facet searches for models; the user can add and remove some."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.library.library import ModelLibrary, Row
from mlx_engine.amounts import format_count, format_disk
from mlx_engine.errors import FacetError
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.library.locations import Root

_TITLES = {"facet": "Facet", "huggingface": "Hugging Face", "lmstudio": "LM Studio"}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with a summary of its content, such as "12 models · 34 GB". Only added folders can be removed."""

    path: Path
    title: str
    summary: str
    is_connected: bool
    is_added: bool


class ModelFolders(QObject):
    """Lists, adds and removes folders; `changed` is emitted when the list or the content of a folder changes."""

    changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, library: ModelLibrary, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._preferences = library, preferences
        library.refreshed.connect(self.changed)

    @property
    def folders(self) -> Sequence[ModelFolder]:
        """All folders, starting with Facet's."""
        return [self._folder(root) for root in self._library.roots]

    @property
    def disconnected(self) -> Sequence[str]:
        """Names of disks or folders that were added and do not exist now."""
        return list(dict.fromkeys(missing_part(root.path) for root in self._library.absent))

    def add(self, path: Path) -> None:
        """Search this folder for models too; they are used in place."""
        parent = next((root for root in self._library.roots if path.is_relative_to(root.path)), None)
        if parent:
            self.problem.emit(f"Couldn't add {path.name}", f"Facet already searches {parent.path} for models.")
            return
        self._set((*self._preferences.settings.model_folders, str(path)))

    def remove(self, path: Path) -> None:
        """Stop searching this folder; its files are not changed."""
        self._set(tuple(folder for folder in self._preferences.settings.model_folders if Path(folder) != path))

    def _set(self, folders: tuple[str, ...]) -> None:
        try:
            self._preferences.set("model_folders", folders)
        except FacetError as error:
            self.problem.emit(error.title, error.message)
        else:
            self.changed.emit()
            self._library.refresh()

    def _folder(self, root: Root) -> ModelFolder:
        is_connected = root not in self._library.absent
        rows = [row for row in self._library.rows if row.path.is_relative_to(root.path)]
        return ModelFolder(
            path=root.path,
            title=_TITLES.get(root.kind, root.path.name or str(root.path)),
            summary=_format_content(rows) if is_connected else f"{missing_part(root.path)} is not connected",
            is_connected=is_connected,
            is_added=root.kind == "added",
        )


def _format_content(rows: Sequence[Row]) -> str:
    if not rows:
        return "No models"
    size_bytes = sum(row.size_bytes for row in rows if isinstance(row, ModelDescription))
    return f"{format_count(len(rows), 'model')} · {format_disk(size_bytes)}"


def missing_part(path: Path) -> str:
    """Return the name of the topmost missing folder of `path`: for an unplugged disk, the name of the disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    return (missing[-1] if missing else path).name
