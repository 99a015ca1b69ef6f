"""The models on this machine, and the state of each."""

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
    BROKEN = Qt.ItemDataRole.UserRole + 4  # a sentence, or ""


class ModelLibrary(QAbstractListModel):
    """One row a model, usable or not; `refresh` scans the folders in another thread.

    `other_roots` gives the folders besides Facet's own; `cache_file` keeps what was read of models that do not change.
    """

    refreshed = Signal()
    renamed = Signal(str, str)  # old id, new id: by the command line; told before `refreshed`, from another thread
    problem = Signal(str, str)  # title, message

    _scanned = Signal(object, int)  # Library or FacetError, from the scanning thread; how many were wanted then

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
        self._own_root = Root("facet", models_folder)
        self._other_roots, self._cache_file = other_roots, cache_file
        self._bridge = bridge
        self._rows: list[Row] = []
        self._absent: Sequence[Root] = ()
        self._scanning: threading.Thread | None = None
        self._wanted = 0
        self._readers: dict[int, Callable[[Row], Any]] = {
            ModelRole.NAME: lambda row: row.name,
            ModelRole.ID: lambda row: row.id,
            ModelRole.DETAIL: lambda row: detail(row) if isinstance(row, ModelDescription) else "",
            ModelRole.STATE: lambda row: bridge.state(row.path),
            ModelRole.BROKEN: problem_of,
        }
        self._scanned.connect(self._take, Qt.ConnectionType.QueuedConnection)
        bridge.state_changed.connect(self._state_changed)

    def refresh(self) -> None:
        """Look what is in the folder; `refreshed` follows, or `problem`. A scan that is going on is done once more."""
        self._wanted += 1
        if self._scanning is None:
            self._scanning = threading.Thread(
                target=self._scan, args=(self._wanted,), name="model library", daemon=True
            )
            self._scanning.start()

    @property
    def roots(self) -> Sequence[Root]:
        """The folders in which models are looked for, Facet's own first."""
        return [self._own_root, *self._other_roots()]

    @property
    def absent(self) -> Sequence[Root]:
        """Those that were added and were not there when they were last looked into."""
        return self._absent

    @property
    def rows(self) -> Sequence[Row]:
        """What each row is about."""
        return self._rows

    def description(self, model_id: str) -> ModelDescription | None:
        """Return the model, or None if it is missing or cannot be chatted with."""
        row = self.row_of(model_id)
        found = self._rows[row] if row >= 0 else None
        return found if isinstance(found, ModelDescription) and found.is_runnable else None

    def usable(self) -> list[ModelDescription]:
        """Return the models that can be chatted with, by name."""
        return [row for row in self._rows if isinstance(row, ModelDescription) and row.is_runnable]

    def brought_from(self, repository: str) -> str:
        """Return the id of a model that came from the repository and can be chatted with; "" if there is none."""
        folder = repository_folder(repository)
        found = (one.id for one in self.usable() if one.source == repository or folder in one.path.parts)
        return next(found, "")

    def active(self) -> list[tuple[ModelDescription, EngineState]]:
        """Return the models that are in memory, or on their way there, and what each is doing."""
        states = ((model, self._bridge.state(model.path)) for model in self.usable())
        return [(model, state) for model, state in states if not isinstance(state, Stopped | Failed)]

    def row_of(self, model_id: str) -> int:
        """Return the row of the model, -1 if it is missing."""
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
        """Wait for a scan that is going on."""
        if self._scanning:
            self._scanning.join()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = ModelRole.NAME) -> Any:
        read = self._readers.get(role)
        return read(self._rows[index.row()]) if read and index.isValid() else None

    def roleNames(self) -> dict[int, Any]:
        return {role: role.name.lower().encode() for role in ModelRole}

    def _scan(self, wanted: int) -> None:
        for old, new in renames.pop_all(self._own_root.path):
            self.renamed.emit(old, new)
        try:
            found: Library | FacetError = scan(self.roots, self._cache_file)
        except FacetError as error:
            found = error
        self._scanned.emit(found, wanted)

    @Slot(object, int)
    def _take(self, found: Library | FacetError, wanted: int) -> None:
        self._scanning = None
        if wanted < self._wanted:
            self.refresh()
        elif isinstance(found, FacetError):
            self.problem.emit(found.title, found.message)
        else:
            self._absent = found.absent
            self._follow(sorted(found.rows, key=lambda row: (row.name.casefold(), row.id)))
            self.refreshed.emit()

    def _follow(self, rows: list[Row]) -> None:
        """Become `rows` run by run. Both lists are in the same order, so a row that differs here is new here."""
        ids = {row.id for row in rows}
        for first, last in reversed(list(_runs(self._rows, lambda row: row.id not in ids))):
            self.beginRemoveRows(QModelIndex(), first, last)
            gone = self._rows[first : last + 1]
            del self._rows[first : last + 1]
            self.endRemoveRows()
            for row in gone:
                self._let_go(row.path)
        known = {row.id for row in self._rows}
        for first, last in _runs(rows, lambda row: row.id not in known):
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
            # Later: whoever waits for the answer is told of its end first.
            QTimer.singleShot(0, self, lambda: self._let_go(path))

    def _let_go(self, path: Path) -> None:
        """Give the memory of a model back that is in the library no more, unless it answers just now."""
        if isinstance(self._bridge.state(path), Ready) and all(row.path != path for row in self._rows):
            self._bridge.unload(path)


def _runs(rows: Sequence[Row], is_meant: Callable[[Row], bool]) -> Iterator[tuple[int, int]]:
    """Give the first and the last number of each unbroken run of rows that are meant."""
    numbers = [number for number, row in enumerate(rows) if is_meant(row)]
    # Numbers that follow each other are as far from their places in the list.
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        of_run = [number for _, number in run]
        yield of_run[0], of_run[-1]


def problem_of(row: Row) -> str:
    """Return why Facet cannot chat with this model, or nothing."""
    return row.problem if isinstance(row, BrokenDescription) else row.obstacle


def detail(model: ModelDescription) -> str:
    """Return what tells a model from its siblings, as in "4-bit g32 · 135M · 84 MB"."""
    return f"{model.quantization} · {format_short_count(model.parameters)} · {format_disk(model.size_bytes)}"
