"""Models on this Mac, and the state of each."""

import threading
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import groupby
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal, Slot

from app.viewmodels.bridges.engine import EngineBridge
from mlx_engine.amounts import format_disk, format_short_count
from mlx_engine.engine.values.state import EngineState, Failed, Ready, Stopped
from mlx_engine.errors import FacetError
from mlx_engine.models.description.describe import BrokenDescription, ModelDescription
from mlx_engine.models.hub.cache import repository_folder
from mlx_engine.models.library import renames
from mlx_engine.models.library.library import Library, scan
from mlx_engine.models.library.locations import Root

Row = ModelDescription | BrokenDescription


class ModelRole(IntEnum):
    NAME = Qt.ItemDataRole.DisplayRole
    ID = Qt.ItemDataRole.UserRole + 1
    DETAIL = Qt.ItemDataRole.UserRole + 2  # "4-bit g32 · 135M · 84 MB"
    STATE = Qt.ItemDataRole.UserRole + 3  # EngineState
    BROKEN = Qt.ItemDataRole.UserRole + 4  # the reason in a sentence, or ""


class ModelLibrary(QAbstractListModel):
    """One row per model, usable or not; `refresh` scans the folders in a thread.

    `other_roots` returns the folders besides Facet's; `cache_file` caches the descriptions of unchanged models.
    """

    refreshed = Signal()
    renamed = Signal(str, str)  # old id, new id: by the command line; before `refreshed`, from another thread
    problem = Signal(str, str)  # title, message

    _scanned = Signal(object, int)  # Library or FacetError, number of requests so far; from the scanning thread

    def __init__(
        self,
        models_folder: Path,
        bridge: EngineBridge,
        parent: QObject | None = None,
        *,
        other_roots: Callable[[], Sequence[Root]] = tuple,
        cache_file: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self._facet_root = Root("facet", models_folder)
        self._other_roots, self._cache_file = other_roots, cache_file
        self._bridge = bridge
        self._rows: list[Row] = []
        self._absent: Sequence[Root] = ()
        self._scanning: threading.Thread | None = None
        self._requests = 0
        self._readers: dict[int, Callable[[Row], Any]] = {
            ModelRole.NAME: lambda row: row.name,
            ModelRole.ID: lambda row: row.id,
            ModelRole.DETAIL: lambda row: format_detail(row) if isinstance(row, ModelDescription) else "",
            ModelRole.STATE: lambda row: bridge.state(row.path),
            ModelRole.BROKEN: problem_of,
        }
        self._scanned.connect(self._on_scanned, Qt.ConnectionType.QueuedConnection)
        bridge.state_changed.connect(self._state_changed)

    def refresh(self) -> None:
        """Scan the folders, then emit `refreshed` or `problem`. During a scan, scan again after it."""
        self._requests += 1
        if self._scanning is None:
            self._scanning = threading.Thread(
                target=self._scan, args=(self._requests,), name="model library", daemon=True
            )
            self._scanning.start()

    @property
    def roots(self) -> Sequence[Root]:
        """Folders that are searched for models, starting with Facet's."""
        return [self._facet_root, *self._other_roots()]

    @property
    def absent(self) -> Sequence[Root]:
        """Added folders that did not exist at the last scan."""
        return self._absent

    @property
    def rows(self) -> Sequence[Row]:
        """The model of each row."""
        return self._rows

    def description(self, model_id: str) -> ModelDescription | None:
        """Return the model, or None if it is missing or cannot chat."""
        number = self.row_of(model_id)
        row = self._rows[number] if number >= 0 else None
        return row if isinstance(row, ModelDescription) and row.is_runnable else None

    def usable(self) -> list[ModelDescription]:
        """Return the models that can chat, by name."""
        return [row for row in self._rows if isinstance(row, ModelDescription) and row.is_runnable]

    def downloaded_from(self, repository: str) -> str:
        """Return the id of a model from the repository that can chat, or ""."""
        folder = repository_folder(repository)
        ids = (model.id for model in self.usable() if model.source == repository or folder in model.path.parts)
        return next(ids, "")

    def active(self) -> list[tuple[ModelDescription, EngineState]]:
        """Return the models in memory, including those being loaded, with their states."""
        states = ((model, self._bridge.state(model.path)) for model in self.usable())
        return [(model, state) for model, state in states if not isinstance(state, Stopped | Failed)]

    def row_of(self, model_id: str) -> int:
        """Return the row number of the model, or -1 if it is missing."""
        return next((number for number, row in enumerate(self._rows) if row.id == model_id), -1)

    def load(self, model_id: str) -> None:
        if model := self.description(model_id):
            try:
                self._bridge.load(model.path)
            except FacetError as error:
                self.problem.emit(error.title, error.message)

    def unload(self, model_id: str) -> None:
        if model := self.description(model_id):
            self._bridge.unload(model.path)

    def close(self) -> None:
        """Wait for a running scan."""
        if self._scanning:
            self._scanning.join()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = ModelRole.NAME) -> Any:
        read = self._readers.get(role)
        return read(self._rows[index.row()]) if read and index.isValid() else None

    def roleNames(self) -> dict[int, Any]:
        return {role: role.name.lower().encode() for role in ModelRole}

    def _scan(self, requests: int) -> None:
        for old, new in renames.pop_all(self._facet_root.path):
            self.renamed.emit(old, new)
        try:
            result: Library | FacetError = scan(self.roots, self._cache_file)
        except FacetError as error:
            result = error
        self._scanned.emit(result, requests)

    @Slot(object, int)
    def _on_scanned(self, result: Library | FacetError, requests: int) -> None:
        self._scanning = None
        if requests < self._requests:
            self.refresh()
        elif isinstance(result, FacetError):
            self.problem.emit(result.title, result.message)
        else:
            self._absent = result.absent
            self._set_rows(sorted(result.rows, key=lambda row: (row.name.casefold(), row.id)))
            self.refreshed.emit()

    def _set_rows(self, rows: list[Row]) -> None:
        """Change to `rows` run by run. Both lists have the same order, so runs keep their positions."""
        ids = {row.id for row in rows}
        for first, last in reversed(list(_runs(self._rows, lambda row: row.id not in ids))):
            self.beginRemoveRows(QModelIndex(), first, last)
            removed_rows = self._rows[first : last + 1]
            del self._rows[first : last + 1]
            self.endRemoveRows()
            for row in removed_rows:
                self._unload_idle(row.path)
        remaining_ids = {row.id for row in self._rows}
        for first, last in _runs(rows, lambda row: row.id not in remaining_ids):
            self.beginInsertRows(QModelIndex(), first, last)
            self._rows[first:first] = rows[first : last + 1]
            self.endInsertRows()
        for number, row in enumerate(rows):
            if self._rows[number] != row:
                self._rows[number] = row
                self.dataChanged.emit(self.index(number), self.index(number))

    @Slot(object)
    def _state_changed(self, path: Path) -> None:
        numbers = [number for number, row in enumerate(self._rows) if row.path == path]
        for number in numbers:
            self.dataChanged.emit(self.index(number), self.index(number), [ModelRole.STATE])
        if not numbers:
            # Later, so that the other receivers of the signal can finish the answer first.
            QTimer.singleShot(0, self, lambda: self._unload_idle(path))

    def _unload_idle(self, path: Path) -> None:
        """Unload a model that is no longer in the library, unless it is answering."""
        if isinstance(self._bridge.state(path), Ready) and all(row.path != path for row in self._rows):
            self._bridge.unload(path)


def _runs(rows: Sequence[Row], is_included: Callable[[Row], bool]) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of each run of consecutive included rows."""
    numbers = [number for number, row in enumerate(rows) if is_included(row)]
    # In a run, a number and its position in the list differ by the same amount.
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run_numbers = [number for _, number in run]
        yield run_numbers[0], run_numbers[-1]


def problem_of(row: Row) -> str:
    """Return why Facet cannot chat with this model, or ""."""
    return row.problem if isinstance(row, BrokenDescription) else row.obstacle


def format_detail(model: ModelDescription) -> str:
    """Format quantization, parameters and size: "4-bit g32 · 135M · 84 MB"."""
    return f"{model.quantization} · {format_short_count(model.parameters)} · {format_disk(model.size_bytes)}"
