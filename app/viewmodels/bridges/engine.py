"""The one place where the engine's threads meet the window: a queued signal.

Everything else of the window lives in one thread and learns of the engine from the signals here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from mlx_engine.engine.parents.pool import EnginePool, PoolEvent
from mlx_engine.engine.values.state import EngineState, Ready, Stopped
from mlx_engine.protocol import Event, Generate


class EngineBridge(QObject):
    """The engine pool with signals. `command` starts a worker; the default is Facet's own."""

    told = Signal(object, object)  # Path of the model, protocol event
    state_changed = Signal(object)  # Path of the model

    _arrived = Signal(object)  # PoolEvent, from any thread

    def __init__(self, logs: Path, parent: QObject | None = None, *, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._states: dict[Path, EngineState] = {}
        self._pool = EnginePool(post=self._arrived.emit, on_event=self._tell, logs=logs, command=command)
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
        with self._telling_changes(model):
            self._pool.load(model)

    def unload(self, model: Path) -> None:
        """End the model's process; what it was answering ends as cancelled."""
        with self._telling_changes(model):
            self._pool.unload(model)

    def generate(self, model: Path, request: Generate) -> None:
        """Ask the model for an answer, loading it first if need be.

        Raises:
            RequestError: the request is not legal.
            EngineError: the system could not start the process.
        """
        with self._telling_changes(model):
            self._pool.generate(model, request)

    def cancel(self, request_id: str) -> None:
        """Stop a request; it ends with a `Finished`. One that has ended is left alone."""
        self._pool.cancel(request_id)

    def memory_bytes(self, model: Path) -> int:
        """Return the resident memory of the model's process; 0 if there is none."""
        return self._pool.memory_bytes(model)

    def unload_after(self, idle_s: float) -> None:
        """Unload models that have had nothing to do for so many seconds; 0 never does."""
        self._idle_s = idle_s
        self._wait_for_idleness()

    def close(self) -> None:
        """End all workers and wait for them, up to a few seconds."""
        self._idle_timer.stop()
        self._pool.close()

    @Slot(object)
    def _receive(self, parcel: PoolEvent) -> None:
        self._pool.receive(parcel)

    def _tell(self, model: Path, event: Event) -> None:
        # The state first: whoever hears of an answer's end may ask at once for the next one.
        self._tell_change(model)
        self.told.emit(model, event)

    @contextmanager
    def _telling_changes(self, model: Path) -> Iterator[None]:
        """Loading one model may unload another: after the action, tell of every model whose state is new."""
        try:
            yield
        finally:
            for known in {model, *self._states}:
                self._tell_change(known)

    def _tell_change(self, model: Path) -> None:
        state = self._pool.state(model)
        if state == self._states.get(model, Stopped()):
            return
        self._states[model] = state
        self.state_changed.emit(model)
        self._wait_for_idleness()

    def _wait_for_idleness(self) -> None:
        if self._idle_s and any(isinstance(state, Ready) for state in self._states.values()):
            self._idle_timer.start(round(self._idle_s * 1000))
        else:
            self._idle_timer.stop()

    def _unload_idle(self) -> None:
        for model in self._pool.unload_idle(self._idle_s):
            self._tell_change(model)
        self._wait_for_idleness()
