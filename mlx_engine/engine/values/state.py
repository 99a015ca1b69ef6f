"""What a model's engine is doing: a union of small values, and the pure function from one to the next.

Knows no process, no thread and no window.
"""

from dataclasses import dataclass, replace

from mlx_engine.protocol import Event, Finished, Loaded, LoadProgress, Prefill, RequestFailed, WorkerExited

LOAD_ID = "load"
"""The id of the one Load request that a worker is sent; it tells a failed load from a failed answer."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """No process, no memory."""


@dataclass(frozen=True, slots=True)
class Starting:
    """The process runs and has not said a word yet."""


@dataclass(frozen=True, slots=True)
class Loading:
    """So many bytes of the weights are in memory."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Waiting for something to answer."""

    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Generating:
    """Reading the prompt of, or answering, `request_id`."""

    loaded: Loaded
    request_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The load failed or the process died. The next request starts anew."""

    title: str
    message: str
    log_tail: str


EngineState = Stopped | Starting | Loading | Ready | Generating | Failed


def advance(state: EngineState, event: Event) -> EngineState:  # noqa: PLR0911 - one line of the table, one return
    """Return the state after `event`. An event that says nothing new about the engine returns `state` itself."""
    match state, event:
        case Failed(), WorkerExited():
            # The reason of a failed load was told before; what follows from it adds only the log.
            return replace(state, log_tail=event.log_tail)
        case _, WorkerExited(expected=True):
            return Stopped()
        case _, WorkerExited():
            return Failed("The engine stopped", event.reason, event.log_tail)
        case _, RequestFailed() if event.id == LOAD_ID:
            return Failed(event.title, event.message, "")
        case ((Starting() | Loading()), LoadProgress()):
            return Loading(event.done_bytes, event.total_bytes)
        case ((Starting() | Loading()), Loaded()):
            return Ready(event)
        case ((Ready(loaded) | Generating(loaded)), Prefill()):
            return Generating(loaded, event.id)
        case Generating(loaded, request_id), (Finished() | RequestFailed()) if event.id == request_id:
            return Ready(loaded)
        case _:
            return state
