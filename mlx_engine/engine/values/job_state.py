"""The state of a job: a union of small values, and the pure function from one to the next."""

from dataclasses import dataclass, replace

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import (
    Downloaded,
    DownloadPlanned,
    DownloadProgress,
    FileProgress,
    Waiting,
)
from mlx_engine.models.hub.upload_messages import Published, PublishPlanned, PublishProgress
from mlx_engine.protocol import ProcessExited, RequestFailed
from mlx_engine.quantize.plan.messages import (
    ConversionPlanned,
    ConversionProgress,
    Converted,
    SourceProgress,
    UnquantizedTensor,
)


@dataclass(frozen=True, slots=True)
class Queued:
    """Waits for its turn to start or to resume."""

    done_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """A process works on the job. `total_bytes` is 0 until the size is known.

    `notice` is a sentence with the reason for a wait, or empty.
    """

    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_s: float = 0.0
    remaining_s: float | None = None
    files: tuple[FileProgress, ...] = ()
    notice: str = ""
    tensor: str = ""
    """Of a conversion: the tensor being written."""
    unquantized: tuple[UnquantizedTensor, ...] = ()
    notes: tuple[str, ...] = ()
    """Of a conversion: sentences about losses and omissions."""
    source: SourceProgress | None = None
    """Of a conversion that downloads its original at the same time: progress of the download."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Paused by the user."""

    done_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The complete, verified model is in the folder `path`; of an upload, `path` is its address on the Hub.

    The other fields are those of a conversion.
    """

    path: str
    size_bytes: int
    bits_per_weight: float = 0.0
    unquantized: tuple[UnquantizedTensor, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """`error` is the class in `errors.py`. Downloaded files are kept for another attempt."""

    error: str
    title: str
    message: str
    retry_after_s: int = 0


JobState = Queued | Running | Paused | Done | Failed


def advance(state: JobState, event: JobEvent) -> JobState:  # noqa: C901, PLR0911 - one line of the table, one return
    """Return the state after `event`; `state` itself if the event does not change it."""
    match state, event:
        case Running(), DownloadPlanned() | PublishPlanned():
            return Running(event.total_bytes - event.missing_bytes, event.total_bytes)
        case Running(), DownloadProgress() | PublishProgress():
            # The notice stays until more data arrives.
            notice = state.notice if event.done_bytes <= state.done_bytes else ""
            return Running(
                event.done_bytes, event.total_bytes, event.bytes_per_s, event.remaining_s, event.files, notice
            )
        case Running(), Waiting():
            return replace(state, notice=event.reason)
        case Running(), ConversionPlanned():
            return Running(unquantized=event.unquantized, notes=event.notes)
        case Running(), ConversionProgress():
            return replace(
                state,
                done_bytes=event.done_bytes,
                total_bytes=event.total_bytes,
                bytes_per_s=event.bytes_per_s,
                remaining_s=event.remaining_s,
                tensor=event.tensor,
            )
        case Running(), SourceProgress():
            # The notice stays until more data arrives.
            before = state.source.done_bytes if state.source else 0
            return replace(state, source=event, notice=state.notice if event.done_bytes <= before else "")
        # A job may finish before its request to pause arrives.
        case Running() | Paused() | Queued(), Downloaded():
            return Done(event.path, event.size_bytes)
        case Running() | Paused() | Queued(), Converted():
            return Done(event.path, event.size_bytes, event.bits_per_weight, event.unquantized, event.notes)
        case Running() | Paused() | Queued(), Published():
            return Done(event.address, event.size_bytes)
        case Running() | Paused() | Queued(), RequestFailed():
            return Failed(event.error, event.title, event.message, event.retry_after_s)
        case Running(), ProcessExited(expected=False):
            return Failed("EngineError", "The job stopped", event.reason)
        case _:
            return state
