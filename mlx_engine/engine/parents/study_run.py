"""Runs a study to its end, unattended: a job process for each step, one after the other, so that one model at most is
in memory.

As in `pool.py`: no threads of its own, every method runs in the owner's thread, and the events of the processes come to
it as parcels through `receive`. After each step the study is kept on the disk; a later run goes on from there.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import msgspec

from mlx_engine.engine.parents.client import GRACE_S, Client
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import UNDERWAY, JobEvent
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import FetchDataset, JobFailed
from mlx_engine.measure.results.messages import SpeedMeasured, SpeedUnderway
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study, after, after_failure, remaining
from mlx_engine.measure.study.study_file import alone, keep, made, present
from mlx_engine.protocol import WorkerExited


@dataclass(frozen=True, slots=True)
class StudyParcel:
    """One event on its way from a client's thread to the owner's. Only the run opens it."""

    client_key: int
    event: JobEvent


class StudyRun:
    """A study that is being worked on.

    `post` is called from other threads and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_event` is called in the owner's thread with each event of the present step; `on_change` when `study` or `step`
    has changed. `step` is None before the start and when nothing is left to do.
    """

    def __init__(
        self,
        study: Study,
        *,
        post: Callable[[StudyParcel], None],
        on_event: Callable[[JobEvent], None],
        on_change: Callable[[], None],
        folders: Folders,
        command: Sequence[str] | None = None,
    ) -> None:
        self.study = study
        self.step: Step | None = None
        self._post = post
        self._on_event = on_event
        self._on_change = on_change
        self._folders = folders
        self._command = command
        self._client: Client[JobEvent] | None = None
        self._key = 0
        self._so_far: SpeedMeasured | None = None
        self._claim = ExitStack()

    def start(self) -> None:
        """Begin with the first step that is left.

        Raises:
            RequestError: somebody else runs the study already.
            StorageError: it cannot be kept.
        """
        self._claim.enter_context(alone(self.study, self._folders.studies))
        self.study = present(self.study, self._folders.datasets)
        keep(self.study, self._folders.studies)
        self._begin_next()

    def receive(self, parcel: StudyParcel) -> None:
        """Take in one event.

        Raises:
            StorageError: the study cannot be kept any more.
        """
        step, event = self.step, parcel.event
        if parcel.client_key != self._key or step is None:
            return
        self._on_event(event)
        match event:
            case JobFailed():
                self._end_step(after_failure(self._with_so_far(step), step, event.title, event.message))
            case SpeedUnderway(so_far=so_far):
                has_figures = so_far and (so_far.reading or so_far.decoding)
                self._so_far = SpeedMeasured(event.id, so_far) if so_far and has_figures else None
            case WorkerExited():
                self._end_step(after_failure(self._with_so_far(step), step, "The process ended", event.reason))
            case _ if not isinstance(event, UNDERWAY):
                self._end_step(made(after(self.study, step, event)))

    def set_gates(self, gates: Gates | None) -> None:
        """Hold the study against other limits; nothing has to be measured anew for them.

        Raises:
            StorageError: the study cannot be kept.
        """
        self.study = msgspec.structs.replace(self.study, plan=msgspec.structs.replace(self.study.plan, gates=gates))
        keep(self.study, self._folders.studies)

    def close(self) -> None:
        """Stop; what the present step has done stays as far as it is on the disk."""
        self.step = None
        self._end_process()
        self._claim.close()

    def _with_so_far(self, step: Step) -> Study:
        """Return the study with the speeds that were measured before the step failed."""
        return after(self.study, step, self._so_far) if self._so_far else self.study

    def _begin_next(self) -> None:
        self.step = next(remaining(self.study), None)
        self._so_far = None
        if self.step is None:
            self._claim.close()
        else:
            key = self._key = self._key + 1

            def post(event: JobEvent) -> None:
                self._post(StudyParcel(key, event))

            try:
                needs_network = isinstance(self.step.request, FetchDataset)
                client = start_job(post, logs=self._folders.logs, needs_network=needs_network, command=self._command)
            except FacetError as error:
                self._end_step(after_failure(self.study, self.step, error.title, error.message))
                return
            self._client = client
            client.send(self.step.request)
        self._on_change()

    def _end_step(self, study: Study) -> None:
        self._end_process()
        self.study = study
        keep(study, self._folders.studies)
        self._begin_next()

    def _end_process(self) -> None:
        self._key += 1
        if self._client is not None:
            self._client.close()
            # The next model is loaded only when the memory of this one is free again.
            self._client.join(2 * GRACE_S)
            self._client = None
