"""The queue of jobs: starts, pauses and cancels them, and saves the queue for the next run.

Policy only, as in `pool.py`: no threads here, every method runs in the owner's thread, and the events of the job
processes arrive as parcels through `receive`. The differences between downloads and conversions are in `job_kinds.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlx_engine import network
from mlx_engine.engine.parents import queue_file
from mlx_engine.engine.parents.client import GRACE_S, Client, Parcel
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.parents.queue_file import FILE_NAME, Entry
from mlx_engine.engine.values import job_kinds
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_messages import JobEvent, needs_network
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running, advance
from mlx_engine.errors import EngineError
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Download
from mlx_engine.models.files import staging
from mlx_engine.protocol import ProcessExited, new_id
from mlx_engine.quantize.plan.messages import Pause, Resume


@dataclass(frozen=True, slots=True)
class Job:
    """A job in the queue."""

    request: QueuedRequest
    state: JobState

    @property
    def id(self) -> str:
        return self.request.id


class JobQueue:
    """Jobs: those of one lane run one after the other, the lanes run in parallel.

    `post` is called from other threads and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_change` is called in the owner's thread with the id of a job that was added, changed or removed. Nothing starts
    before `start` is called, and nothing that needs the network starts while the offline switch is on. `command` starts
    a job process.
    """

    def __init__(
        self,
        *,
        post: Callable[[Parcel[JobEvent]], None],
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
        """All processes that have not ended."""
        self._serving: dict[int, str] = {}
        """The job of each process, except for those that are closing."""
        self._paused: set[int] = set()
        """Processes that keep a paused job."""
        self._discards: dict[int, QueuedRequest] = {}
        """Canceled jobs, whose files are deleted once their process has ended."""
        self._log_tails: dict[str, str] = {}
        """The log of each job's last process."""
        self._started = 0
        self._is_stopped = True

    def jobs(self) -> list[Job]:
        """Return all jobs in queue order."""
        return list(self._jobs.values())

    def log_tail(self, id: str) -> str:
        """Return the last log lines of the job's process; "" if there are none."""
        key = self._key_of(id)
        return self._log_tails.get(id, "") if key is None else self._clients[key].log_tail

    def receive(self, parcel: Parcel[JobEvent]) -> None:
        """Handle one event."""
        key, event = parcel.key, parcel.event
        if (job_id := self._serving.get(key)) is not None:
            self._apply(job_id, event)
            if isinstance(event, ProcessExited) or isinstance(self._jobs[job_id].state, Done | Failed):
                self._release(job_id)
        if isinstance(event, ProcessExited):
            del self._clients[key]
            if cancelled := self._discards.pop(key, None):
                job_kinds.discard_files(cancelled)
        self._start_next()

    def download(self, repository: str, revision: str = "main", include: Sequence[str] = ()) -> str:
        """Add a download to the queue, as `add` does."""
        return self.add(Download(id=new_id(), repository=repository, revision=revision, include=tuple(include)))

    def add(self, request: QueuedRequest) -> str:
        """Add a job to the end of the queue and return its id. If the queue has an equal job, resume that one instead.

        Raises:
            AlreadyExists: another job creates a different result with the same name.
        """
        for job in self._jobs.values():
            if job_kinds.is_same(job.request, request):
                self.resume(job.id)
                return job.id
        self._change(Job(request, Queued()))
        self._start_next()
        return request.id

    def pause(self, id: str) -> None:
        """Pause the job. Finished work stays; if Facet quits, only the files on disk."""
        job = self._jobs[id]
        match job.state:
            case Running(done_bytes, total_bytes):
                self._pause_process(job)
                self._change(replace(job, state=Paused(done_bytes, total_bytes)))
            case Queued(done_bytes, total_bytes):
                self._change(replace(job, state=Paused(done_bytes, total_bytes)))
        self._start_next()

    def resume(self, id: str) -> None:
        """Queue the job to resume, or to try again."""
        job = self._jobs[id]
        match job.state:
            case Paused(done_bytes, total_bytes):
                self._change(replace(job, state=Queued(done_bytes, total_bytes)))
            case Failed() | Done():
                self._change(replace(job, state=Queued()))
        self._start_next()

    def cancel(self, id: str) -> None:
        """Remove the job from the queue and delete its partial files."""
        job = self._jobs.pop(id)
        if (key := self._release(id)) is not None:
            self._discards[key] = job.request
        elif not isinstance(job.state, Done):
            job_kinds.discard_files(job.request)
        self._log_tails.pop(id, None)
        self._save()
        self._on_change(id)
        self._start_next()

    def start(self) -> None:
        """Start the queued jobs, also after `stop`."""
        staging.sweep(self._folders.models)
        self._is_stopped = False
        self._start_next()

    def stop(self) -> None:
        """Stop starting jobs, and put the running ones back into the queue."""
        self._is_stopped = True
        for job_id in list(self._serving.values()):
            self._put_back(job_id)

    def refresh_network(self) -> None:
        """Apply the offline switch: put jobs that need the network back into the queue, or start them."""
        if network.is_offline():
            for job_id in list(self._serving.values()):
                if needs_network(self._jobs[job_id].request):
                    self._put_back(job_id)
        self._start_next()

    def close(self) -> None:
        """End all processes and wait for them; the next queue on the same folder resumes."""
        self.stop()
        for client in self._clients.values():
            client.join(2 * GRACE_S)

    def _apply(self, id: str, event: JobEvent) -> None:
        job = self._jobs[id]
        job = replace(job, request=job_kinds.update_request(job.request, event))
        self._change(replace(job, state=advance(job.state, event)))

    def _start_next(self) -> None:
        for job in self.jobs():
            if not self._is_stopped and isinstance(job.state, Queued) and self._may_start(job.request):
                self._run(job, job.state)

    def _may_start(self, request: QueuedRequest) -> bool:
        if network.is_offline() and needs_network(request):
            return False
        working = (self._jobs[job_id].request for key, job_id in self._serving.items() if key not in self._paused)
        return job_kinds.lane(request) not in map(job_kinds.lane, working)

    def _run(self, job: Job, queued: Queued) -> None:
        if (key := self._key_of(job.id)) is not None:
            self._paused.discard(key)
            self._clients[key].send(Resume(job.id))
        else:
            try:
                self._start_process(job.request)
            except EngineError as error:
                self._change(replace(job, state=Failed(type(error).__name__, error.title, error.message)))
                return
        self._change(replace(job, state=Running(queued.done_bytes, queued.total_bytes)))

    def _start_process(self, request: QueuedRequest) -> None:
        key = self._started = self._started + 1
        client = start_job(
            lambda event: self._post(Parcel(key, event)),
            logs=self._folders.logs,
            needs_network=needs_network(request),
            command=self._command,
        )
        self._clients[key] = client
        self._serving[key] = request.id
        client.send(request)

    def _pause_process(self, job: Job) -> None:
        """Pause the job's process, or end it if the job can restart without losing work."""
        key = self._key_of(job.id)
        if job_kinds.can_restart(job.request) or key is None:
            self._release(job.id)
        else:
            self._paused.add(key)
            self._clients[key].send(Pause(job.id))

    def _put_back(self, id: str) -> None:
        self._release(id)
        if isinstance((job := self._jobs[id]).state, Running):
            self._change(replace(job, state=Queued()))

    def _release(self, id: str) -> int | None:
        """Close the job's process; return its key, or None if it has none."""
        key = self._key_of(id)
        if key is not None:
            del self._serving[key]
            self._paused.discard(key)
            self._log_tails[id] = self._clients[key].log_tail
            self._clients[key].close()
        return key

    def _key_of(self, id: str) -> int | None:
        return next((key for key, job_id in self._serving.items() if job_id == id), None)

    def _change(self, job: Job) -> None:
        before = self._jobs.get(job.id)
        self._jobs[job.id] = job
        if before is None or before.request != job.request or type(before.state) is not type(job.state):
            self._save()
        self._on_change(job.id)

    def _save(self) -> None:
        unfinished = (job for job in self._jobs.values() if not isinstance(job.state, Done))
        queue_file.write(self._file, (Entry(job.request, isinstance(job.state, Paused | Failed)) for job in unfinished))


def _restored(entry: Entry) -> Job:
    return Job(entry.request, Paused() if entry.paused else Queued())
