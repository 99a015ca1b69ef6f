"""Runs a study unattended: one job process per step, one after the other, so that at most one model is in memory.

Policy only, as in `pool.py`: no threads here, every method runs in the owner's thread, and the events of the processes
arrive as parcels through `receive`. The study is saved after each step, and a later run resumes from there.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import msgspec

from mlx_engine.engine.parents.client import GRACE_S, Client, Parcel
from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent, needs_network
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import SpeedMeasured, SpeedProgress
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study, after, after_failure, remaining
from mlx_engine.measure.study.study_file import exclusive, refresh_study, save_study, with_sizes
from mlx_engine.protocol import ProcessExited, RequestFailed


class StudyRun:
    """A running study.

    `post` is called from other threads and must bring its parcel to the owner's thread, which hands it to `receive`.
    `on_event` is called in the owner's thread with each event of the current step; `on_change` when `study` or `step`
    has changed. `step` is None before the start and after the last step.
    """

    def __init__(
        self,
        study: Study,
        *,
        post: Callable[[Parcel[JobEvent]], None],
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
        """Start with the first remaining step.

        Raises:
            RequestError: another process runs the study.
            StorageError: the study cannot be saved.
        """
        self._claim.enter_context(exclusive(self.study, self._folders.studies))
        self.study = refresh_study(self.study, self._folders.datasets)
        save_study(self.study, self._folders.studies)
        self._start_next()

    def receive(self, parcel: Parcel[JobEvent]) -> None:
        """Handle one event.

        Raises:
            StorageError: the study cannot be saved.
        """
        step, event = self.step, parcel.event
        if parcel.key != self._key or step is None:
            return
        self._on_event(event)
        match event:
            case RequestFailed():
                self._end_step(after_failure(self._with_so_far(step), step, event.title, event.message))
            case SpeedProgress(so_far=so_far):
                has_figures = so_far and (so_far.prefill_rates or so_far.decode_rates)
                self._so_far = SpeedMeasured(event.id, so_far) if so_far and has_figures else None
            case ProcessExited():
                self._end_step(after_failure(self._with_so_far(step), step, "The process ended", event.reason))
            case _ if not isinstance(event, PROGRESS):
                self._end_step(with_sizes(after(self.study, step, event)))

    def set_gates(self, gates: Gates | None) -> None:
        """Check the study against other limits; this takes no new measurements.

        Raises:
            StorageError: the study cannot be saved.
        """
        self.study = msgspec.structs.replace(self.study, plan=msgspec.structs.replace(self.study.plan, gates=gates))
        save_study(self.study, self._folders.studies)

    def close(self) -> None:
        """Stop; the results of the current step that are on disk stay."""
        self.step = None
        self._end_process()
        self._claim.close()

    def _with_so_far(self, step: Step) -> Study:
        """Return the study with the speeds measured before the step failed."""
        return after(self.study, step, self._so_far) if self._so_far else self.study

    def _start_next(self) -> None:
        self.step = next(remaining(self.study), None)
        self._so_far = None
        if self.step is None:
            self._claim.close()
        else:
            key = self._key = self._key + 1
            try:
                client = start_job(
                    lambda event: self._post(Parcel(key, event)),
                    logs=self._folders.logs,
                    needs_network=needs_network(self.step.request),
                    command=self._command,
                )
            except FacetError as error:
                self._end_step(after_failure(self.study, self.step, error.title, error.message))
                return
            self._client = client
            client.send(self.step.request)
        self._on_change()

    def _end_step(self, study: Study) -> None:
        self._end_process()
        self.study = study
        save_study(study, self._folders.studies)
        self._start_next()

    def _end_process(self) -> None:
        self._key += 1
        if self._client is not None:
            self._client.close()
            # The next model may load only once the memory of this one is free.
            self._client.join(2 * GRACE_S)
            self._client = None
