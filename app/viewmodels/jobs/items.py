"""Jobs as rows of a list: downloads, conversions and publications."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.viewmodels.formatting import hub as hub_format
from mlx_engine.amounts import format_disk
from mlx_engine.engine.parents.job_queue import Job
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.hub_messages import Download
from mlx_engine.models.hub.upload_messages import Publish
from mlx_engine.quantize.plan.messages import Convert, SourceProgress, UnquantizedTensor

Task = Literal["download", "conversion", "publication"]
JobKind = Literal["queued", "running", "paused", "done", "failed"]
Remedy = Literal["", "sign in", "accept", "page"]
"""The user's options besides trying again. "page" opens the model's page on the Hub."""

_KINDS: Mapping[type[JobState], JobKind] = {
    Queued: "queued",
    Running: "running",
    Paused: "paused",
    Done: "done",
    Failed: "failed",
}
_READ_REMEDIES: Mapping[str, Remedy] = {
    "NeedsConsent": "accept",
    "NeedsToken": "sign in",
    "WrongToken": "sign in",
    "HubNotFound": "sign in",
}
_WRITE_REMEDIES: Mapping[str, Remedy] = {"NeedsToken": "sign in", "WrongToken": "sign in", "ReadOnlyToken": "sign in"}
"""Remedies by class of the error in `errors.py`."""


@dataclass(frozen=True, slots=True)
class JobItem:
    """One job. `subject` is the repository, or the id of the model that a conversion creates; `details` are lines."""

    id: str
    task: Task
    subject: str
    name: str
    state: JobState
    status: str
    details: tuple[str, ...]
    remedy: Remedy = ""

    @property
    def kind(self) -> JobKind:
        return _KINDS[type(self.state)]

    @property
    def fraction(self) -> float:
        """The completed fraction, from 0 to 1."""
        return hub_format.job_progress(self.state)

    @property
    def problem(self) -> str:
        """The message of a failure; "" if the job has not failed."""
        return self.state.message if isinstance(self.state, Failed) else ""


def job_item(job: Job) -> JobItem:
    """Return the row for `job`."""
    state = job.state
    match job.request:
        case Convert(model_id=model_id, recipe=recipe):
            name, status = model_id.rpartition("/")[2], _conversion_status(state, recipe.title)
            return JobItem(job.id, "conversion", model_id, name, state, status, _conversion_details(state))
        case Publish(repository=repository):
            status = _publication_status(state)
            remedy = "page" if isinstance(state, Done) else _remedy(state, _WRITE_REMEDIES)
            return JobItem(job.id, "publication", repository, repository, state, status, _files(state), remedy)
        case Download(repository=repository):
            status, remedy = hub_format.format_job(state), _remedy(state, _READ_REMEDIES)
            return JobItem(job.id, "download", repository, repository, state, status, _files(state), remedy)


def _remedy(state: JobState, remedies: Mapping[str, Remedy]) -> Remedy:
    return remedies.get(state.error, "") if isinstance(state, Failed) else ""


def _files(state: JobState) -> tuple[str, ...]:
    return tuple(map(hub_format.format_file_progress, state.files)) if isinstance(state, Running) else ()


def _publication_status(state: JobState) -> str:
    match state:
        case Running(total_bytes=0):
            return f"Publish · {state.notice or 'Comparing the files with those on the Hub…'}"
        case Done():
            return f"Published · {format_disk(state.size_bytes)}"
        case Queued() | Running() | Paused():
            return f"Publish · {hub_format.format_job(state)}"
        case Failed():
            return state.title


def _conversion_status(state: JobState, recipe: str) -> str:
    match state:
        case Running(total_bytes=0):
            return f"{recipe} · Reading the model…"
        case Done():
            size = f"{format_disk(state.size_bytes)}, {state.bits_per_weight:.2f} bits per weight"
            return f"{recipe} · Added to your library · {size}"
        case Running(source=SourceProgress() as source):
            return f"{recipe} · {hub_format.format_streamed_conversion(state, source)}"
        case Queued() | Running() | Paused():
            return f"{recipe} · {hub_format.format_job(state)}"
        case Failed():
            return state.title


def _conversion_details(state: JobState) -> tuple[str, ...]:
    match state:
        case Running():
            writing = (f"Writing {state.tensor}",) if state.tensor else ()
            return (*writing, *state.notes, *_unquantized(state.unquantized))
        case Done():
            return (*state.notes, *_unquantized(state.unquantized))
        case _:
            return ()


def _unquantized(tensors: Sequence[UnquantizedTensor]) -> tuple[str, ...]:
    """Return a line for each reason that some tensors were not quantized."""
    counts = Counter(tensor.reason for tensor in tensors)
    first = {tensor.reason: tensor.path for tensor in reversed(tensors)}
    return tuple(
        f"Not quantized: {first[reason] if count == 1 else f'{count} tensors like {first[reason]}'}, {reason}"
        for reason, count in counts.items()
    )
