"""The queue of downloads: which runs, which waits, and what becomes of them when Facet ends.

Policy only, as in `pool.py`: no threads of its own, every method runs in the owner's thread, and the events of the job
processes come to it as parcels through `receive`. The queue is kept in a file, so a restart goes on where it was.
"""

import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from mlx_engine import network
from mlx_engine.engine.client import GRACE_S, Client
from mlx_engine.engine.job_client import start_job
from mlx_engine.engine.job_state import Done, Failed, JobState, Paused, Queued, Running, advance
from mlx_engine.errors import EngineError
from mlx_engine.folders import Folders
from mlx_engine.job_protocol import Download, DownloadPlanned, JobEvent
from mlx_engine.models.hub.cache import cache_folder, discard_partial
from mlx_engine.protocol import WorkerExited

FILE_NAME = "downloads.json"


@dataclass(frozen=True, slots=True)
class JobParcel:
    """One event on its way from a client's thread to the owner's. Only the queue opens it."""

    client_key: int
    event: JobEvent


@dataclass(frozen=True, slots=True)
class Job:
    """One download in the queue."""

    request: Download
    state: JobState

    @property
    def id(self) -> str:
        return self.request.id


class _Kept(msgspec.Struct, frozen=True):
    """A download as the file has it."""

    request: Download
    paused: bool


class JobQueue:
    """Downloads, one after the other, or `at_once` at the same time.

    `post` is called from other threads and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_change` is called in the owner's thread with the id of a job that is new, different or gone. Nothing starts
    before `go` is called, and nothing while the offline switch is on. `command` starts a job process; the default is
    Facet's own.
    """

    def __init__(
        self,
        *,
        post: Callable[[JobParcel], None],
        on_change: Callable[[str], None],
        folders: Folders,
        at_once: int = 1,
        command: Sequence[str] | None = None,
    ) -> None:
        self._post = post
        self._on_change = on_change
        self._folders = folders
        self._at_once = at_once
        self._command = command
        self._file = folders.data / FILE_NAME
        self._jobs: dict[str, Job] = {job.id: job for job in _read(self._file)}
        self._clients: dict[int, Client[JobEvent]] = {}
        """All processes that have not been heard to end."""
        self._serving: dict[int, str] = {}
        """The job that each process works on; those that are on their way out work on none."""
        self._discards: dict[int, str] = {}
        """The repositories whose remains are removed when the process has ended."""
        self._started = 0
        self._holding = True

    def jobs(self) -> list[Job]:
        """Return all jobs, in the order of the queue."""
        return list(self._jobs.values())

    def receive(self, parcel: JobParcel) -> None:
        """Take in one event."""
        key, event = parcel.client_key, parcel.event
        if (served := self._serving.get(key)) is not None:
            self._take(served, event)
            if not isinstance(self._jobs[served].state, Running):
                self._release(served)
        if isinstance(event, WorkerExited):
            del self._clients[key]
            if repository := self._discards.pop(key, ""):
                discard_partial(cache_folder(), repository)
        self._start_next()

    def download(self, repository: str, revision: str = "main", include: Sequence[str] = ()) -> str:
        """Put a download at the end of the queue; return its id. The same one is not put there twice."""
        wanted = (repository, revision, tuple(include))
        for job in self._jobs.values():
            if (job.request.repository, job.request.revision, job.request.include) == wanted:
                self.resume(job.id)
                return job.id
        request = Download(id=uuid.uuid4().hex, repository=repository, revision=revision, include=tuple(include))
        self._change(Job(request, Queued()))
        self._start_next()
        return request.id

    def pause(self, id: str) -> None:
        """Stop the job; what is downloaded stays."""
        job = self._jobs[id]
        match job.state:
            case Running(done_bytes, total_bytes):
                self._release(id)
                self._change(replace(job, state=Paused(done_bytes, total_bytes)))
            case Queued():
                self._change(replace(job, state=Paused()))
        self._start_next()

    def resume(self, id: str) -> None:
        """Let the job go on, or try again, when it is its turn."""
        job = self._jobs[id]
        if isinstance(job.state, Paused | Failed | Done):
            self._change(replace(job, state=Queued()))
            self._start_next()

    def cancel(self, id: str) -> None:
        """Take the job out of the queue, and what was downloaded of files that are not whole off the disk."""
        job = self._jobs.pop(id)
        if (key := self._release(id)) is not None:
            self._discards[key] = job.request.repository
        elif not isinstance(job.state, Done):
            discard_partial(cache_folder(), job.request.repository)
        self._save()
        self._on_change(id)
        self._start_next()

    def go(self) -> None:
        """Begin, or begin again after `hold`."""
        self._holding = False
        self._start_next()

    def hold(self) -> None:
        """Start nothing more, and put what runs back into the queue: for going offline, and for the end."""
        self._holding = True
        for served in list(self._serving.values()):
            self._release(served)
            self._change(replace(self._jobs[served], state=Queued()))

    def close(self) -> None:
        """End all processes, and wait for them; a later queue on the same folder goes on."""
        self.hold()
        for client in self._clients.values():
            client.join(2 * GRACE_S)

    def _take(self, id: str, event: JobEvent) -> None:
        job = self._jobs[id]
        if isinstance(event, DownloadPlanned):
            job = replace(job, request=msgspec.structs.replace(job.request, commit=event.commit))
        self._change(replace(job, state=advance(job.state, event)))

    def _start_next(self) -> None:
        for job in self.jobs():
            if self._holding or network.is_offline() or len(self._serving) >= self._at_once:
                return
            if isinstance(job.state, Queued):
                self._start(job)

    def _start(self, job: Job) -> None:
        key = self._started = self._started + 1

        def post(event: JobEvent) -> None:
            self._post(JobParcel(key, event))

        try:
            client = start_job(post, logs=self._folders.logs, command=self._command)
        except EngineError as error:
            self._change(replace(job, state=Failed(type(error).__name__, error.title, error.message)))
            return
        self._clients[key] = client
        self._serving[key] = job.id
        self._change(replace(job, state=Running()))
        client.send(job.request)

    def _release(self, id: str) -> int | None:
        """End the job's process; return its key, or None if it has none."""
        for key, served in list(self._serving.items()):
            if served == id:
                del self._serving[key]
                self._clients[key].close()
                return key
        return None

    def _change(self, job: Job) -> None:
        before = self._jobs.get(job.id)
        self._jobs[job.id] = job
        if before is None or before.request != job.request or type(before.state) is not type(job.state):
            self._save()
        self._on_change(job.id)

    def _save(self) -> None:
        kept = [
            _Kept(job.request, isinstance(job.state, Paused | Failed))
            for job in self._jobs.values()
            if not isinstance(job.state, Done)
        ]
        beside = self._file.with_suffix(".tmp")
        # A disk that takes no file does not stop a download; the queue then ends with this process.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(msgspec.json.encode(kept))
            beside.replace(self._file)


def _read(file: Path) -> list[Job]:
    """Return what was left in the queue; a file that cannot be read is an empty one."""
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=list[_Kept])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return []
    return [Job(entry.request, Paused() if entry.paused else Queued()) for entry in kept]
