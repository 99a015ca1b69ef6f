"""The queue of jobs: which run, which wait, and what becomes of them when Facet ends.

Policy only, as in `pool.py`: no threads of its own, every method runs in the owner's thread, and the events of the job
processes come to it as parcels through `receive`. What differs between downloads and conversions is in `job_kinds.py`.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlx_engine import network
from mlx_engine.engine.parents import queue_file
from mlx_engine.engine.parents.client import GRACE_S, Client
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.parents.queue_file import FILE_NAME, Entry
from mlx_engine.engine.values import job_kinds
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running, advance
from mlx_engine.errors import EngineError
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Download
from mlx_engine.models.files import staging
from mlx_engine.protocol import WorkerExited
from mlx_engine.quantize.plan.messages import Hold, Proceed


@dataclass(frozen=True, slots=True)
class JobParcel:
    """One event on its way from a client's thread to the owner's. Only the queue opens it."""

    client_key: int
    event: JobEvent


@dataclass(frozen=True, slots=True)
class Job:
    """One entry of the queue."""

    request: QueuedRequest
    state: JobState

    @property
    def id(self) -> str:
        return self.request.id


class JobQueue:
    """Jobs, those of one lane one after the other, the lanes beside each other.

    `post` is called from other threads and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_change` is called in the owner's thread with the id of a job that is new, different or gone. Nothing starts
    before `go` is called, and nothing that needs the network while the offline switch is on. `command` starts a job
    process; the default is Facet's own.
    """

    def __init__(
        self,
        *,
        post: Callable[[JobParcel], None],
        on_change: Callable[[str], None],
        folders: Folders,
        command: Sequence[str] | None = None,
    ) -> None:
        self._post = post
        self._on_change = on_change
        self._folders = folders
        self._command = command
        self._file = folders.data / FILE_NAME
        self._jobs: dict[str, Job] = {job.id: job for job in map(_restored, queue_file.read(self._file))}
        self._clients: dict[int, Client[JobEvent]] = {}
        """All processes that have not been heard to end."""
        self._serving: dict[int, str] = {}
        """The job that each process works on; those that are on their way out work on none."""
        self._held: set[int] = set()
        """Of these, the processes that were told to stand still."""
        self._discards: dict[int, QueuedRequest] = {}
        """What was given up, and leaves nothing once its process has ended."""
        self._log_tails: dict[str, str] = {}
        """What the last process of each job has written."""
        self._started = 0
        self._holding = True

    def jobs(self) -> list[Job]:
        """Return all jobs, in the order of the queue."""
        return list(self._jobs.values())

    def log_tail(self, id: str) -> str:
        """Return the last lines that the job's process has written to its log; "" if it has none."""
        key = self._key_of(id)
        return self._log_tails.get(id, "") if key is None else self._clients[key].log_tail

    def receive(self, parcel: JobParcel) -> None:
        """Take in one event."""
        key, event = parcel.client_key, parcel.event
        if (served := self._serving.get(key)) is not None:
            self._take(served, event)
            if isinstance(event, WorkerExited) or isinstance(self._jobs[served].state, Done | Failed):
                self._release(served)
        if isinstance(event, WorkerExited):
            del self._clients[key]
            if given_up := self._discards.pop(key, None):
                job_kinds.leave_nothing(given_up)
        self._start_next()

    def download(self, repository: str, revision: str = "main", include: Sequence[str] = ()) -> str:
        """Put a download at the end of the queue, as `add` does."""
        return self.add(Download(id=uuid.uuid4().hex, repository=repository, revision=revision, include=tuple(include)))

    def add(self, request: QueuedRequest) -> str:
        """Put a job at the end of the queue; return its id. If the same one is there, that one goes on instead.

        Raises:
            StorageError: another job makes something else in the same place.
        """
        for job in self._jobs.values():
            if job_kinds.is_same(job.request, request):
                self.resume(job.id)
                return job.id
        self._change(Job(request, Queued()))
        self._start_next()
        return request.id

    def pause(self, id: str) -> None:
        """Stop the job; what is done stays, if Facet ends only what is on the disk."""
        job = self._jobs[id]
        match job.state:
            case Running(done_bytes, total_bytes):
                self._stop(job)
                self._change(replace(job, state=Paused(done_bytes, total_bytes)))
            case Queued(done_bytes, total_bytes):
                self._change(replace(job, state=Paused(done_bytes, total_bytes)))
        self._start_next()

    def resume(self, id: str) -> None:
        """Let the job go on, or try again, when it is its turn."""
        job = self._jobs[id]
        match job.state:
            case Paused(done_bytes, total_bytes):
                self._change(replace(job, state=Queued(done_bytes, total_bytes)))
            case Failed() | Done():
                self._change(replace(job, state=Queued()))
        self._start_next()

    def cancel(self, id: str) -> None:
        """Take the job out of the queue, and what it has left half done off the disk."""
        job = self._jobs.pop(id)
        if (key := self._release(id)) is not None:
            self._discards[key] = job.request
        elif not isinstance(job.state, Done):
            job_kinds.leave_nothing(job.request)
        self._log_tails.pop(id, None)
        self._save()
        self._on_change(id)
        self._start_next()

    def go(self) -> None:
        """Begin, or begin again after `hold`."""
        staging.sweep(self._folders.models)
        self._holding = False
        self._start_next()

    def hold(self) -> None:
        """Start nothing more, and put what runs back into the queue."""
        self._holding = True
        for served in list(self._serving.values()):
            self._put_back(served)

    def follow_switch(self) -> None:
        """Put back what needs the network if the offline switch is on now, or start it if it is off."""
        if network.is_offline():
            for served in list(self._serving.values()):
                if job_kinds.needs_network(self._jobs[served].request):
                    self._put_back(served)
        self._start_next()

    def close(self) -> None:
        """End all processes, and wait for them; a later queue on the same folder goes on."""
        self.hold()
        for client in self._clients.values():
            client.join(2 * GRACE_S)

    def _take(self, id: str, event: JobEvent) -> None:
        job = self._jobs[id]
        job = replace(job, request=job_kinds.learn(job.request, event))
        self._change(replace(job, state=advance(job.state, event)))

    def _start_next(self) -> None:
        for job in self.jobs():
            if not self._holding and isinstance(job.state, Queued) and self._may_start(job.request):
                self._start(job, job.state)

    def _may_start(self, request: QueuedRequest) -> bool:
        if network.is_offline() and job_kinds.needs_network(request):
            return False
        working = (self._jobs[served].request for key, served in self._serving.items() if key not in self._held)
        return job_kinds.lane(request) not in map(job_kinds.lane, working)

    def _start(self, job: Job, done: Queued) -> None:
        if (key := self._key_of(job.id)) is not None:
            self._held.discard(key)
            self._clients[key].send(Proceed(job.id))
        else:
            try:
                self._start_process(job.request)
            except EngineError as error:
                self._change(replace(job, state=Failed(type(error).__name__, error.title, error.message)))
                return
        self._change(replace(job, state=Running(done.done_bytes, done.total_bytes)))

    def _start_process(self, request: QueuedRequest) -> None:
        key = self._started = self._started + 1

        def post(event: JobEvent) -> None:
            self._post(JobParcel(key, event))

        needs_network = job_kinds.needs_network(request)
        client = start_job(post, logs=self._folders.logs, needs_network=needs_network, command=self._command)
        self._clients[key] = client
        self._serving[key] = request.id
        client.send(request)

    def _stop(self, job: Job) -> None:
        """Let the job's process stand still if it keeps work that would be lost, else end it."""
        key = self._key_of(job.id)
        if job_kinds.keeps_work(job.request) or key is None:
            self._release(job.id)
        else:
            self._held.add(key)
            self._clients[key].send(Hold(job.id))

    def _put_back(self, id: str) -> None:
        self._release(id)
        if isinstance((job := self._jobs[id]).state, Running):
            self._change(replace(job, state=Queued()))

    def _release(self, id: str) -> int | None:
        """End the job's process; return its key, or None if it has none."""
        key = self._key_of(id)
        if key is not None:
            del self._serving[key]
            self._held.discard(key)
            self._log_tails[id] = self._clients[key].log_tail
            self._clients[key].close()
        return key

    def _key_of(self, id: str) -> int | None:
        return next((key for key, served in self._serving.items() if served == id), None)

    def _change(self, job: Job) -> None:
        before = self._jobs.get(job.id)
        self._jobs[job.id] = job
        if before is None or before.request != job.request or type(before.state) is not type(job.state):
            self._save()
        self._on_change(job.id)

    def _save(self) -> None:
        kept = (job for job in self._jobs.values() if not isinstance(job.state, Done))
        queue_file.write(self._file, (Entry(job.request, isinstance(job.state, Paused | Failed)) for job in kept))


def _restored(entry: Entry) -> Job:
    return Job(entry.request, Paused() if entry.paused else Queued())
