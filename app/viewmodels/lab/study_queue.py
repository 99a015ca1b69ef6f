"""Whose turn it is: one study is worked on at a time, the others wait; and how far the one is."""

import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Signal, SignalInstance

from app.viewmodels.lab.format import StepProgress, step_progress
from app.viewmodels.lab.lines import CurrentStep
from app.viewmodels.lab.status import StudyStatus, idle, left_steps, running, share_done, waiting
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.time_estimate import Countdown, Speeds
from mlx_engine.amounts import format_percent
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study, remaining


class StudyRunner(Protocol):
    """What works on a study: a `StudyBridge`."""

    changed: SignalInstance
    event_received: SignalInstance
    problem: SignalInstance

    @property
    def study(self) -> Study | None: ...
    @property
    def step(self) -> Step | None: ...
    def start(self, study: Study) -> None: ...
    def set_gates(self, gates: Gates | None) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Contention(Protocol):
    """What else the computer does: a `Beside`."""

    @property
    def disturbance(self) -> str: ...
    def obstacle(self, study: Study, step: Step, *, is_begun: bool) -> str: ...
    def make_room(self, study: Study) -> None: ...


class NoContention:
    """Nothing else is done."""

    disturbance = ""

    def obstacle(self, _study: Study, _step: Step, *, is_begun: bool) -> str:  # noqa: ARG002 - there never is one
        return ""

    def make_room(self, study: Study) -> None:
        """There is room."""


NO_CONTENTION = NoContention()


class StudyQueue(QObject):
    """Studies are known by their names. `pace` is asked for how fast this machine works on one."""

    changed = Signal()
    finished = Signal(str)  # the name of a study with nothing left to do

    def __init__(
        self,
        shelf: StudyStore,
        runner: StudyRunner,
        beside: Contention,
        pace: Callable[[Study], Speeds],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._shelf, self._runner, self._beside, self._pace = shelf, runner, beside, pace
        self._queue: list[str] = []
        """Those that wait, the next one first."""
        self._until = ""
        """Until when the first of them waits while none is worked on."""
        self._progress: StepProgress | None = None
        self._countdown: Countdown | None = None
        runner.changed.connect(self._follow)
        runner.event_received.connect(self._take)

    @property
    def running(self) -> str:
        """The study that is worked on; "" if none is."""
        return self._runner.study.plan.name if self._runner.step and self._runner.study else ""

    @property
    def names(self) -> list[str]:
        """The study that is worked on, and those that wait."""
        return [self.running, *self._queue] if self.running else list(self._queue)

    def has(self, name: str) -> bool:
        """Tell whether the study is worked on, or waits."""
        return name in self.names

    def add(self, name: str) -> None:
        """Work on the study when it is its turn."""
        self._queue.append(name)
        self.go_on()

    def drop(self, name: str) -> None:
        """Stop the study, or let it wait no longer."""
        if not self.has(name):
            return
        if name == self._shelf.under_way:
            self._shelf.write_under_way("")
        if name == self.running:
            self._runner.stop()
        else:
            self._queue.remove(name)
            self.go_on()

    def go_on(self) -> None:
        """Begin with the study that waits if nothing is in its way any more; leave one that something has come into the
        way of.
        """
        if self.running:
            self._give_way()
        elif self._queue:
            self._begin(self._queue[0])
        self.changed.emit()

    def set_gates(self, gates: Gates | None) -> None:
        """Hold the study that is worked on against other limits."""
        self._runner.set_gates(gates)
        if study := self._runner.study:
            self._shelf.take(study)
        self.changed.emit()

    def present(self, name: str) -> CurrentStep | None:
        """Return what is being done for this study."""
        return self._progress.present if name == self.running and self._progress else None

    @property
    def underway(self) -> tuple[str, float]:
        """The first study and how far it is, in words and as a share; "" while there is none."""
        study = self._shelf.get(next(iter(self.names), ""))
        if study is None:
            return "", 0.0
        share = share_done(study, self._progress.share if self._progress and self.running else 0.0)
        return f"{study.plan.name} · {format_percent(share) if self.running else 'waiting'}", share

    def stand(self, study: Study) -> StudyStatus:
        """Say how a study stands."""
        name, step = study.plan.name, self._runner.step
        if name in self._queue:
            other = self.running or self._queue[0]
            return waiting(self._until if other == name else f"the study “{other}” is at its end", share_done(study))
        if name == self.running and self._progress and self._countdown and step:
            left_s = self._countdown.left_s(study, self._progress.share, time.monotonic())
            return running(study, step, self._progress, left_s, remark=self._beside.disturbance)
        return idle(study)

    def close(self) -> None:
        """End the process."""
        self._runner.close()

    def _begin(self, name: str) -> None:
        study = self._shelf.get(name)
        assert study  # noqa: S101 - what is deleted or renamed does not wait
        step = next(remaining(study), None)
        self._until = self._beside.obstacle(study, step, is_begun=False) if step else ""
        if self._until:
            return
        self._queue.remove(name)
        self._shelf.write_under_way(name)
        self._beside.make_room(study)
        self._countdown = Countdown(study, self._pace(study), time.monotonic())
        self._runner.start(study)

    def _give_way(self) -> None:
        """Leave the present step, to begin it anew later."""
        study, step = self._runner.study, self._runner.step
        if study and step and self._beside.obstacle(study, step, is_begun=True):
            self._queue.insert(0, study.plan.name)
            self._runner.stop()

    def _follow(self) -> None:
        """Take in that the study has got further."""
        study, step = self._runner.study, self._runner.step
        if study is None:
            return
        self._shelf.take(study)
        self._progress = step_progress(step) if step else None
        if step is None and not left_steps(study):
            self._shelf.write_under_way("")
            self.finished.emit(study.plan.name)
        self.go_on()

    def _take(self, event: JobEvent) -> None:
        if self._runner.step and isinstance(event, PROGRESS):
            self._progress = step_progress(self._runner.step, event)
            self.changed.emit()
