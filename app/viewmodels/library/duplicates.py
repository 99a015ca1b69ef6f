"""Finds models that are on this Mac more than once."""

import threading
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.viewmodels.library.library import ModelLibrary, Row
from mlx_engine.models.library.duplicates import DuplicateGroup, find_duplicates

_DELAY_MS = 500


class DuplicateModels(QObject):
    """Models with the same weights, compared in a thread when the library changes.

    `reclaimable_bytes` is the space that deleting the duplicates would free.
    """

    changed = Signal()

    _completed = Signal(object, object)  # compared rows, list of DuplicateGroup; from the thread

    def __init__(self, library: ModelLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._groups: Mapping[str, DuplicateGroup] = {}
        self._compared: Sequence[Row] = ()
        self._thread: threading.Thread | None = None
        self.reclaimable_bytes = 0
        self._completed.connect(self._set_groups, Qt.ConnectionType.QueuedConnection)
        # Delayed: reading the weights must not slow down the user's own actions.
        self._timer = QTimer(self, singleShot=True, interval=_DELAY_MS)
        self._timer.timeout.connect(self._start)
        library.refreshed.connect(self._timer.start)
        self._timer.start()

    def of(self, model_id: str) -> DuplicateGroup | None:
        """Return all models with the same weights, including this one, or None if there are no others."""
        return self._groups.get(model_id)

    def close(self) -> None:
        """Wait for a running comparison."""
        if self._thread:
            self._thread.join()

    @Slot()
    def _start(self) -> None:
        rows = tuple(self._library.rows)
        if self._thread is None and rows != self._compared:
            self._thread = threading.Thread(target=self._run, args=(rows,), name="duplicate models", daemon=True)
            self._thread.start()

    def _run(self, rows: tuple[Row, ...]) -> None:
        self._completed.emit(rows, find_duplicates(rows))

    @Slot(object, object)
    def _set_groups(self, rows: tuple[Row, ...], groups: list[DuplicateGroup]) -> None:
        self._thread = None
        self._compared = rows
        self._groups = {model.id: group for group in groups for model in group.models}
        self.reclaimable_bytes = sum(group.reclaimable_bytes for group in groups)
        self.changed.emit()
        self._start()
