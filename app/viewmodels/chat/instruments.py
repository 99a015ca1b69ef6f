"""Live figures of the current conversation, from its answer, its model and this Mac."""

from dataclasses import replace
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal

from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.chat.answer import Answer
from app.viewmodels.chat.throughput import Throughput, of_engine
from mlx_engine.engine.values.state import Failed, Generating, Ready, Stopped
from mlx_engine.models.memory.machine import physical_memory_bytes

INTERVAL_MS = 100
MEMORY_INTERVAL_S = 1.0


class Instruments(QObject):
    """`throughput` has the figures; `changed` is emitted at most ten times per second, when they are new."""

    changed = Signal()

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.throughput = Throughput()
        self._bridge = bridge
        self._machine_memory_bytes = physical_memory_bytes()
        self._memory: dict[Path, tuple[float, int]] = {}
        self._answer: Answer | None = None
        self._last = Throughput()
        self._model: Path | None = None
        self._context_length = self._context_limit = 0
        self._timer = QTimer(self, singleShot=True, interval=INTERVAL_MS)
        self._timer.timeout.connect(self._read)
        bridge.state_changed.connect(self.read_soon)

    def show(
        self,
        answer: Answer | None,
        last: Throughput,
        *,
        model: Path | None,
        context_length: int,
        context_limit: int = 0,
    ) -> None:
        """Show the streaming answer, or the figures of the `last` one, and the memory of the model in `model`.

        A `context_limit` other than 0 caps the context length of the model.
        """
        self._answer, self._last, self._model = answer, last, model
        self._context_length, self._context_limit = context_length, context_limit
        self._read()

    def read_soon(self) -> None:
        """Schedule an update after an event that may change the figures."""
        if not self._timer.isActive():
            self._timer.start()

    def close(self) -> None:
        """Stop a scheduled update."""
        self._timer.stop()

    def _read(self) -> None:
        self._timer.stop()
        now = monotonic()
        model = self._answer.model if self._answer else self._model
        length = self._length(model)
        throughput = replace(
            self._figures(now),
            engine_memory_bytes=self._memory_bytes(model, now) if model else 0,
            machine_memory_bytes=self._machine_memory_bytes,
            context_length=min(length, self._context_limit or length),
        )
        if throughput != self.throughput:
            self.throughput = throughput
            self.changed.emit()

    def _figures(self, now: float) -> Throughput:
        if self._answer:
            return self._answer.meter.throughput(now)
        engine = of_engine(self._bridge.state(self._model)) if self._model else Throughput()
        return engine if engine.phase == "loading" else self._last

    def _length(self, model: Path | None) -> int:
        """Return the context length that the engine uses, or the one in the description of the model."""
        match self._bridge.state(model) if model else Stopped():
            case Ready(loaded) | Generating(loaded):
                return loaded.context_length
            case _:
                return self._context_length

    def _memory_bytes(self, model: Path, now: float) -> int:
        if isinstance(self._bridge.state(model), Stopped | Failed):
            return 0
        read_at, size_bytes = self._memory.get(model, (-MEMORY_INTERVAL_S, 0))
        if now - read_at >= MEMORY_INTERVAL_S:
            size_bytes = self._bridge.memory_bytes(model)
            self._memory[model] = now, size_bytes
        return size_bytes
