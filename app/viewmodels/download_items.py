"""A download as a row shows it."""

from dataclasses import dataclass
from typing import Literal

from app.viewmodels import hub_words
from mlx_engine.engine.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.engine.jobs import Job
from mlx_engine.job_protocol import Download, FileProgress

DownloadKind = Literal["queued", "running", "paused", "done", "failed"]
Remedy = Literal["", "sign in", "accept", "page"]
"""What a person can do about a failure, besides trying again; "page" is to look at what is on the Hub now."""


@dataclass(frozen=True, slots=True)
class DownloadItem:
    """`line` says how it stands, `problem` what to do about a failure; `share` is from 0 to 1."""

    id: str
    repository: str
    kind: DownloadKind
    line: str
    share: float
    files: tuple[FileProgress, ...] = ()
    problem: str = ""
    remedy: Remedy = ""


def item(job: Job) -> DownloadItem | None:
    """Return what to show of `job`; None if it is no download."""
    state = job.state
    if not isinstance(job.request, Download):
        return None
    return DownloadItem(
        id=job.id,
        repository=job.request.repository,
        kind=kind_of(state),
        line=hub_words.progress(state),
        share=hub_words.share(state),
        files=state.files if isinstance(state, Running) else (),
        problem=state.message if isinstance(state, Failed) else "",
        remedy=_remedy(state.error) if isinstance(state, Failed) else "",
    )


def kind_of(state: JobState) -> DownloadKind:
    """Return the state in a word."""
    match state:
        case Queued():
            return "queued"
        case Running():
            return "running"
        case Paused():
            return "paused"
        case Done():
            return "done"
        case Failed():
            return "failed"


def _remedy(error: str) -> Remedy:
    if error == "NeedsConsent":
        return "accept"
    return "sign in" if error in ("NeedsToken", "WrongToken", "HubNotFound") else ""
