"""The folders in which models are looked for: which there are, what is in them, and adding further ones."""

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
class Folder:
    """One of them; `state` says what is in it, as in "12 models · 34 GB". Only added ones can be removed."""

    path: Path
    title: str
    state: str
    is_there: bool
    is_added: bool


class ModelFolders(QObject):
    """`changed` tells that other folders are used, or that there is something else in them."""

    changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, library: ModelLibrary, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._preferences = library, preferences
        library.refreshed.connect(self.changed)

    @property
    def folders(self) -> Sequence[Folder]:
        """All of them, Facet's own first."""
        return [self._folder(root) for root in self._library.roots]

    @property
    def absent(self) -> Sequence[str]:
        """What is not there of the added ones: the names of disks, or of folders."""
        return list(dict.fromkeys(missing_part(root.path) for root in self._library.absent))

    def add(self, path: Path) -> None:
        """Look for models in this folder too; they stay where they are."""
        around = next((root for root in self._library.roots if path.is_relative_to(root.path)), None)
        if around:
            self.problem.emit(f"{path.name} was not added", f"Facet looks for models in {around.path} already.")
            return
        self._set((*self._preferences.settings.model_folders, str(path)))

    def remove(self, path: Path) -> None:
        """Look there no longer; nothing in the folder is touched."""
        self._set(tuple(kept for kept in self._preferences.settings.model_folders if Path(kept) != path))

    def _set(self, folders: tuple[str, ...]) -> None:
        try:
            self._preferences.set("model_folders", folders)
        except FacetError as error:
            self.problem.emit(error.title, error.message)
        else:
            self.changed.emit()
            self._library.refresh()

    def _folder(self, root: Root) -> Folder:
        is_there = root not in self._library.absent
        found = [row for row in self._library.rows if row.path.is_relative_to(root.path)]
        return Folder(
            path=root.path,
            title=_TITLES.get(root.kind, root.path.name or str(root.path)),
            state=_format_content(found) if is_there else f"{missing_part(root.path)} is not connected",
            is_there=is_there,
            is_added=root.kind == "added",
        )


def _format_content(rows: Sequence[Row]) -> str:
    if not rows:
        return "No models"
    size_bytes = sum(row.size_bytes for row in rows if isinstance(row, ModelDescription))
    return f"{format_count(len(rows), 'model')} · {format_disk(size_bytes)}"


def missing_part(path: Path) -> str:
    """Return the name of the uppermost folder of `path` that is not there, as that of a disk that is unplugged."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    return (missing[-1] if missing else path).name
