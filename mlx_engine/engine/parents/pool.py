"""The workers of the loaded models, their states, and the requests each one serves.

Policy only: no threads here. Every method runs in the owner's thread, and the workers' events arrive as parcels through
`receive`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlx_engine.declared import check_struct
from mlx_engine.engine.parents.client import GRACE_S, Client, Parcel
from mlx_engine.engine.values.state import LOAD_ID, EngineState, Failed, Starting, Stopped, advance
from mlx_engine.errors import RequestError
from mlx_engine.protocol import Cancel, Event, Finished, Generate, Load, Memory, ProcessExited, RequestFailed


@dataclass(slots=True)
class _Worker:
    model: Path
    client: Client[Event]
    waiting: list[str] = field(default_factory=list)
    """Ids of the open requests."""
    used_at: float = 0.0
    held_bytes: int = 0
    """Memory held by MLX, as last reported."""


class EnginePool:
    """The workers of up to `limit` models.

    `post` is called from other threads and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_event` is called in the owner's thread with the model and the event. `command` starts a worker.
    """

    def __init__(
        self,
        *,
        post: Callable[[Parcel[Event]], None],
        on_event: Callable[[Path, Event], None],
        logs: Path,
        limit: int = 1,
        command: Sequence[str] | None = None,
    ) -> None:
        self._post = post
        self._on_event = on_event
        self._logs = logs
        self._limit = limit
        self._command = command
        self._workers: dict[int, _Worker] = {}
        """All processes that have not ended, including those that are closing."""
        self._current: dict[Path, int] = {}
        """The worker of each model, the least recently used first."""
        self._states: dict[Path, EngineState] = {}
        self._started = 0

    def receive(self, parcel: Parcel[Event]) -> None:
        """Handle one event. If a worker dies or fails to load, its open requests fail before that event is reported."""
        worker, event = self._workers[parcel.key], parcel.event
        if self._current.get(worker.model) == parcel.key:
            self._states[worker.model] = advance(self.state(worker.model), event)
        match event:
            case ProcessExited():
                self._end_all(worker, "The engine stopped", event.reason, cancelled=event.expected)
                self._forget(parcel.key)
            case RequestFailed() if event.id == LOAD_ID:
                self._end_all(worker, event.title, event.message)
            case Finished() | RequestFailed():
                if event.id not in worker.waiting:
                    return  # Its failure was reported with that of the load.
                worker.waiting.remove(event.id)
                worker.used_at = time.monotonic()
            case Memory():
                worker.held_bytes = event.active_bytes + event.pool_bytes
        self._on_event(worker.model, event)

    def state(self, model: Path) -> EngineState:
        return self._states.get(model, Stopped())

    def load(self, model: Path) -> None:
        """Start a worker for `model` unless it has one, closing the least recently used worker if there are too many.

        Raises:
            EngineError: the system could not start the process.
        """
        if not isinstance(self.state(model), Stopped | Failed):
            return
        self._release(model)
        while len(self._current) >= self._limit:
            self.unload(next(iter(self._current)))
        self._start(model)

    def unload(self, model: Path) -> None:
        """Close the model's worker and cancel its requests. Its memory is free on `ProcessExited`."""
        self._release(model)
        self._states.pop(model, None)

    def unload_idle(self, idle_s: float) -> list[Path]:
        """Unload the models that have been idle for `idle_s` seconds; return them."""
        latest = time.monotonic() - idle_s
        idle = [
            worker.model
            for key in self._current.values()
            if not (worker := self._workers[key]).waiting and worker.used_at <= latest
        ]
        for model in idle:
            self.unload(model)
        return idle

    def generate(self, model: Path, request: Generate) -> None:
        """Request an answer from `model`, loading it first if necessary.

        Raises:
            RequestError: no message to answer.
            InvalidParameter: a sampling value is out of range.
            EngineError: the system could not start the process.
        """
        _check(request)
        self.load(model)
        key = self._current.pop(model)
        self._current[model] = key
        worker = self._workers[key]
        worker.waiting.append(request.id)
        worker.client.send(request)

    def cancel(self, request_id: str) -> None:
        """Cancel a request at any stage; it ends with a `Finished`. Does nothing if it has ended already."""
        for worker in self._workers.values():
            if request_id in worker.waiting:
                worker.client.send(Cancel(request_id))

    def memory_bytes(self, model: Path) -> int:
        """Return the memory used by the model's process, 0 if it has none.

        The larger of resident memory and the memory held by MLX: macOS does not count all Metal memory as resident.
        """
        import psutil  # noqa: PLC0415 - not needed to start the window

        if (key := self._current.get(model)) is None:
            return 0
        worker = self._workers[key]
        try:
            return max(int(psutil.Process(worker.client.pid).memory_info().rss), worker.held_bytes)
        except psutil.Error:
            return 0

    def close(self) -> None:
        """Close all workers and wait for them; one that hangs is killed after the grace period."""
        for worker in self._workers.values():
            worker.client.close()
        for worker in self._workers.values():
            worker.client.join(2 * GRACE_S)

    def _start(self, model: Path) -> None:
        key = self._started = self._started + 1

        log_path = self._logs / f"engine-{model.parent.name}-{model.name}.log"
        client: Client[Event] = Client(
            on_event=lambda event: self._post(Parcel(key, event)), log_path=log_path, command=self._command
        )
        self._workers[key] = _Worker(model, client, used_at=time.monotonic())
        self._current[model] = key
        self._states[model] = Starting()
        client.send(Load(LOAD_ID, str(model.absolute())))

    def _release(self, model: Path) -> None:
        if (key := self._current.pop(model, None)) is not None:
            self._workers[key].client.close()

    def _forget(self, key: int) -> None:
        worker = self._workers.pop(key)
        if self._current.get(worker.model) == key:
            del self._current[worker.model]

    def _end_all(self, worker: _Worker, title: str, message: str, *, cancelled: bool = False) -> None:
        while worker.waiting:
            request_id = worker.waiting.pop(0)
            self._on_event(
                worker.model,
                Finished(request_id, "cancelled") if cancelled else RequestFailed(request_id, title, message),
            )


def _check(request: Generate) -> None:
    check_struct(request.sampling)
    if not request.messages or request.messages[-1].role != "user" or not request.messages[-1].content.strip():
        raise RequestError("Write a message first.")
