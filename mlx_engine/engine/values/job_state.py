"""What a job is doing: a union of small values, and the pure function from one to the next."""

from dataclasses import dataclass, replace

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import Downloaded, DownloadPlanned, DownloadProgress, FileProgress, JobFailed, Waiting
from mlx_engine.models.hub.upload_messages import Published, PublishPlanned, PublishProgress
from mlx_engine.protocol import WorkerExited
from mlx_engine.quantize.plan.messages import ConversionPlanned, ConversionProgress, Converted, Kept, SourceProgress


@dataclass(frozen=True, slots=True)
class Queued:
    """It begins, or goes on with so much done, when those before it have ended."""

    done_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """A process works on it. Until the plan is made `total_bytes` is 0.

    `notice` is a sentence that says why it waits at the moment; else it is empty.
    """

    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_s: float = 0.0
    remaining_s: float | None = None
    files: tuple[FileProgress, ...] = ()
    notice: str = ""
    tensor: str = ""
    """Of a conversion: what is being written."""
    kept: tuple[Kept, ...] = ()
    notes: tuple[str, ...] = ()
    """Of a conversion: sentences about what is dropped or loses something."""
    source: SourceProgress | None = None
    """Of a conversion whose original is being downloaded meanwhile: how far that is."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Stopped by a person, with so much done."""

    done_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The model is in the folder `path`, whole and verified; what was published is at that address on the Hub. The rest
    is told of conversions.
    """

    path: str
    size_bytes: int
    bits_per_weight: float = 0.0
    kept: tuple[Kept, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """`error` is the class in `errors.py`; what was downloaded is kept for another try."""

    error: str
    title: str
    message: str
    retry_after_s: int = 0


JobState = Queued | Running | Paused | Done | Failed


def advance(state: JobState, event: JobEvent) -> JobState:  # noqa: C901, PLR0911 - one line of the table, one return
    """Return the state after `event`. An event that says nothing new about the job returns `state` itself."""
    match state, event:
        case Running(), DownloadPlanned() | PublishPlanned():
            return Running(event.total_bytes - event.missing_bytes, event.total_bytes)
        case Running(), DownloadProgress() | PublishProgress():
            # As long as nothing arrives, the reason to wait stands.
            notice = state.notice if event.done_bytes <= state.done_bytes else ""
            return Running(
                event.done_bytes, event.total_bytes, event.bytes_per_s, event.remaining_s, event.files, notice
            )
        case Running(), Waiting():
            return replace(state, notice=event.reason)
        case Running(), ConversionPlanned():
            return Running(kept=event.kept, notes=event.notes)
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
            # As long as nothing arrives, the reason to wait stands.
            before = state.source.done_bytes if state.source else 0
            return replace(state, source=event, notice=state.notice if event.done_bytes <= before else "")
        # One that is told to stand still may come to its end before it hears so.
        case Running() | Paused() | Queued(), Downloaded():
            return Done(event.path, event.size_bytes)
        case Running() | Paused() | Queued(), Converted():
            return Done(event.path, event.size_bytes, event.bits_per_weight, event.kept, event.notes)
        case Running() | Paused() | Queued(), Published():
            return Done(event.address, event.size_bytes)
        case Running() | Paused() | Queued(), JobFailed():
            return Failed(event.error, event.title, event.message, event.retry_after_s)
        case Running(), WorkerExited(expected=False):
            return Failed("EngineError", "The job stopped", event.reason)
        case _:
            return state
