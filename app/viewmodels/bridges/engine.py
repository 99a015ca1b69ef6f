"""The engine pool with Qt signals: events from the engine's threads reach it through one queued signal.

The rest of the window runs in one thread and gets the engine's events from the signals here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.pool import EnginePool
from mlx_engine.engine.values.state import EngineState, Ready, Stopped
from mlx_engine.protocol import Event, Generate


class EngineBridge(QObject):
    """The workers of the loaded models. `command` starts a worker."""

    event_received = Signal(object, object)  # Path of the model, protocol event
    state_changed = Signal(object)  # Path of the model

    _arrived = Signal(object)  # Parcel[Event], from any thread

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._states: dict[Path, EngineState] = {}
        self._pool = EnginePool(post=self._arrived.emit, on_event=self._emit, logs=logs, command=command)
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)
        self._idle_s = 0.0
        self._idle_timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._idle_timer.timeout.connect(self._unload_idle)

    def state(self, model: Path) -> EngineState:
        return self._pool.state(model)

    def load(self, model: Path) -> None:
        """Load the model unless it is loaded or loading.

        Raises:
            EngineError: the system could not start the process.
        """
        with self._emitting_changes(model):
            self._pool.load(model)

    def unload(self, model: Path) -> None:
        """End the model's process; its requests end as canceled."""
        with self._emitting_changes(model):
            self._pool.unload(model)

    def generate(self, model: Path, request: Generate) -> None:
        """Request an answer from the model, loading it first if necessary.

        Raises:
            RequestError: the request is not valid.
            EngineError: the system could not start the process.
        """
        with self._emitting_changes(model):
            self._pool.generate(model, request)

    def cancel(self, request_id: str) -> None:
        """Cancel a request; it ends with a `Finished`. Does nothing if it has ended already."""
        self._pool.cancel(request_id)

    def memory_bytes(self, model: Path) -> int:
        """Return the memory used by the model's process; 0 if it has none."""
        return self._pool.memory_bytes(model)

    def set_idle_timeout(self, idle_s: float) -> None:
        """Unload models after this many idle seconds; 0 means never."""
        self._idle_s = idle_s
        self._restart_idle_timer()

    def close(self) -> None:
        """End all workers and wait for them, up to a few seconds."""
        self._idle_timer.stop()
        self._pool.close()

    @Slot(object)
    def _receive(self, parcel: Parcel[Event]) -> None:
        self._pool.receive(parcel)

    def _emit(self, model: Path, event: Event) -> None:
        # The state first: a receiver of an answer's end may request the next one at once.
        self._emit_change(model)
        self.event_received.emit(model, event)

    @contextmanager
    def _emitting_changes(self, model: Path) -> Iterator[None]:
        """Emit every change of state after the action: loading one model may unload another."""
        try:
            yield
        finally:
            for path in {model, *self._states}:
                self._emit_change(path)

    def _emit_change(self, model: Path) -> None:
        state = self._pool.state(model)
        if state == self._states.get(model, Stopped()):
            return
        self._states[model] = state
        self.state_changed.emit(model)
        self._restart_idle_timer()

    def _restart_idle_timer(self) -> None:
        if self._idle_s and any(isinstance(state, Ready) for state in self._states.values()):
            self._idle_timer.start(round(self._idle_s * 1000))
        else:
            self._idle_timer.stop()

    def _unload_idle(self) -> None:
        for model in self._pool.unload_idle(self._idle_s):
            self._emit_change(model)
        self._restart_idle_timer()
