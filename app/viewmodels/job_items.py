"""A job as a row shows it: a download, a conversion, or what is being published."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.viewmodels import download_items, hub_words
from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.download_items import DownloadKind, Remedy
from app.viewmodels.recipe_words import title
from mlx_engine.engine.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.engine.jobs import Job
from mlx_engine.models.hub.upload_messages import Publish
from mlx_engine.quantize.messages import Convert, Kept, SourceProgress

Task = Literal["download", "conversion", "publication"]


@dataclass(frozen=True, slots=True)
class JobItem:
    """`line` says how it stands, `details` are sentences about what is done, `problem` what to do about a failure.

    `share` is from 0 to 1; `subject` is the repository, or the id of the model that is being made.
    """

    id: str
    task: Task
    subject: str
    name: str
    kind: DownloadKind
    line: str
    share: float
    details: tuple[str, ...] = ()
    problem: str = ""
    remedy: Remedy = ""


def item(job: Job) -> JobItem:
    """Return what to show of `job`."""
    if isinstance(job.request, Convert):
        return _conversion(job, job.request)
    if isinstance(job.request, Publish):
        return _publication(job, job.request)
    found = download_items.item(job)
    assert found is not None  # noqa: S101 - what is neither is a download
    details = tuple(map(hub_words.file_progress, found.files))
    return JobItem(
        found.id, "download", found.repository, found.repository, found.kind, found.line, found.share, details,
        found.problem, found.remedy,
    )  # fmt: skip


def _conversion(job: Job, request: Convert) -> JobItem:
    state = job.state
    return JobItem(
        id=job.id,
        task="conversion",
        subject=request.model_id,
        name=request.model_id.rpartition("/")[2],
        kind=download_items.kind_of(state),
        line=_line(state, title(request.recipe)),
        share=hub_words.share(state),
        details=_details(state),
        problem=state.message if isinstance(state, Failed) else "",
    )


def _publication(job: Job, request: Publish) -> JobItem:
    state = job.state
    failure = state if isinstance(state, Failed) else None
    return JobItem(
        id=job.id,
        task="publication",
        subject=request.repository,
        name=request.repository,
        kind=download_items.kind_of(state),
        line=_line_of_publication(state),
        share=hub_words.share(state),
        details=tuple(map(hub_words.file_progress, state.files)) if isinstance(state, Running) else (),
        problem=failure.message if failure else "",
        remedy="page" if isinstance(state, Done) else _remedy(failure),
    )


def _line_of_publication(state: JobState) -> str:
    match state:
        case Running(total_bytes=0):
            return f"Publish · {state.notice or 'Reading the files, and asking the Hub what it has of them…'}"
        case Done():
            return f"On the Hub · {bytes_in_words(state.size_bytes)}"
        case Queued() | Running() | Paused():
            return f"Publish · {hub_words.progress(state)}"
        case Failed():
            return state.title


def _remedy(failure: Failed | None) -> Remedy:
    return "sign in" if failure and failure.error in ("NeedsToken", "WrongToken", "ReadOnlyToken") else ""


def _line(state: JobState, recipe: str) -> str:
    match state:
        case Running(total_bytes=0):
            return f"{recipe} · Reading the model…"
        case Done():
            size = f"{bytes_in_words(state.size_bytes)}, {state.bits_per_weight:.2f} bits per weight"
            return f"{recipe} · In the library · {size}"
        case Running(source=SourceProgress() as source):
            return f"{recipe} · {hub_words.both(state, source)}"
        case Queued() | Running() | Paused():
            return f"{recipe} · {hub_words.progress(state)}"
        case Failed():
            return state.title


def _details(state: JobState) -> tuple[str, ...]:
    match state:
        case Running():
            writing = (f"Writing {state.tensor}",) if state.tensor else ()
            return (*writing, *state.notes, *_kept(state.kept))
        case Done():
            return (*state.notes, *_kept(state.kept))
        case _:
            return ()


def _kept(kept: Sequence[Kept]) -> tuple[str, ...]:
    """Return what was left as it is: a line for each reason."""
    counts = Counter(one.reason for one in kept)
    first = {one.reason: one.path for one in reversed(kept)}
    return tuple(
        f"Kept: {first[reason]}, {reason}" if count == 1 else f"Kept: {count} tensors like {first[reason]}, {reason}"
        for reason, count in counts.items()
    )
