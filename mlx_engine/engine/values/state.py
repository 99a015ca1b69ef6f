"""The state of a model's engine: a union of small values, and the pure function from one to the next.

Knows no process, no thread and no window.
"""

from dataclasses import dataclass, replace

from mlx_engine.protocol import Event, Finished, Loaded, LoadProgress, Prefill, ProcessExited, RequestFailed

LOAD_ID = "load"
"""The id of a worker's Load request; it distinguishes a failed load from a failed answer."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """No process, no memory."""


@dataclass(frozen=True, slots=True)
class Starting:
    """The process has started and has not sent an event yet."""


@dataclass(frozen=True, slots=True)
class Loading:
    """Bytes of the weights in memory so far."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded and idle."""

    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Generating:
    """Prefill or decode of the request `request_id`."""

    loaded: Loaded
    request_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The load failed or the process died. The next request starts a new process."""

    title: str
    message: str
    log_tail: str


EngineState = Stopped | Starting | Loading | Ready | Generating | Failed


def advance(state: EngineState, event: Event) -> EngineState:  # noqa: PLR0911 - one line of the table, one return
    """Return the state after `event`; `state` itself if the event does not change it."""
    match state, event:
        case Failed(), ProcessExited():
            # The cause of a failed load is already known; the end of the process only adds the log.
            return replace(state, log_tail=event.log_tail)
        case _, ProcessExited(expected=True):
            return Stopped()
        case _, ProcessExited():
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
