"""Runs one study at a time while the others wait, and reports the progress of the running one."""

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
    """Runs a study; implemented by `StudyBridge`."""

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
    """Other work on this Mac; implemented by `ResourceContention`."""

    @property
    def slowdown(self) -> str: ...
    def blocked_by(self, study: Study, step: Step, *, is_running: bool) -> str: ...
    def free_memory(self, study: Study) -> None: ...


class NoContention:
    """An idle Mac."""

    slowdown = ""

    def blocked_by(self, _study: Study, _step: Step, *, is_running: bool) -> str:  # noqa: ARG002 - never blocked
        return ""

    def free_memory(self, study: Study) -> None:
        """Do nothing."""


NO_CONTENTION = NoContention()


class StudyQueue(QObject):
    """Studies are identified by name; `speeds` returns the speeds to estimate the time of one."""

    changed = Signal()
    finished = Signal(str)  # the name of a study without steps left

    def __init__(
        self,
        store: StudyStore,
        runner: StudyRunner,
        contention: Contention,
        speeds: Callable[[Study], Speeds],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._runner, self._contention, self._speeds = store, runner, contention, speeds
        self._queue: list[str] = []
        """Waiting studies, next one first."""
        self._blocked_by = ""
        """The work that blocks the first of them while none is running."""
        self._progress: StepProgress | None = None
        self._countdown: Countdown | None = None
        runner.changed.connect(self._on_change)
        runner.event_received.connect(self._on_event)

    @property
    def running(self) -> str:
        """The name of the running study, "" if there is none."""
        return self._runner.study.plan.name if self._runner.step and self._runner.study else ""

    @property
    def names(self) -> list[str]:
        """The names of the running study and of the waiting ones."""
        return [self.running, *self._queue] if self.running else list(self._queue)

    def contains(self, name: str) -> bool:
        """Return True if the study is running or waiting."""
        return name in self.names

    def add(self, name: str) -> None:
        """Run the study, after those before it."""
        self._queue.append(name)
        self.advance()

    def remove(self, name: str) -> None:
        """Stop the study, or remove it from the queue."""
        if not self.contains(name):
            return
        if name == self._store.running_name:
            self._store.set_running_name("")
        if name == self.running:
            self._runner.stop()
        else:
            self._queue.remove(name)
            self.advance()

    def advance(self) -> None:
        """Start the next study unless it is blocked; pause the running one if it is blocked now."""
        if self.running:
            self._pause_if_blocked()
        elif self._queue:
            self._start(self._queue[0])
        self.changed.emit()

    def set_gates(self, gates: Gates | None) -> None:
        """Check the running study against other limits."""
        self._runner.set_gates(gates)
        if study := self._runner.study:
            self._store.update(study)
        self.changed.emit()

    def current_step(self, name: str) -> CurrentStep | None:
        """Return the current step of the study, None if it is not running."""
        return self._progress.step if name == self.running and self._progress else None

    @property
    def progress(self) -> tuple[str, float]:
        """The first study with its progress, as text and as a share; "" if there is none."""
        study = self._store.get(next(iter(self.names), ""))
        if study is None:
            return "", 0.0
        share = share_done(study, self._progress.share if self._progress and self.running else 0.0)
        return f"{study.plan.name} · {format_percent(share) if self.running else 'waiting'}", share

    def status(self, study: Study) -> StudyStatus:
        """Return the status of a study."""
        name, step = study.plan.name, self._runner.step
        if name in self._queue:
            first = self.running or self._queue[0]
            reason = self._blocked_by if first == name else f"“{first}” to finish"
            return waiting(reason, share_done(study))
        if name == self.running and self._progress and self._countdown and step:
            left_s = self._countdown.left_s(study, self._progress.share, time.monotonic())
            return running(study, step, self._progress, left_s, slowdown=self._contention.slowdown)
        return idle(study)

    def close(self) -> None:
        """End the process."""
        self._runner.close()

    def _start(self, name: str) -> None:
        study = self._store.get(name)
        assert study  # noqa: S101 - a deleted or renamed study is not in the queue
        step = next(remaining(study), None)
        self._blocked_by = self._contention.blocked_by(study, step, is_running=False) if step else ""
        if self._blocked_by:
            return
        self._queue.remove(name)
        self._store.set_running_name(name)
        self._contention.free_memory(study)
        self._countdown = Countdown(study, self._speeds(study), time.monotonic())
        self._runner.start(study)

    def _pause_if_blocked(self) -> None:
        """Stop the current step, to start it again later."""
        study, step = self._runner.study, self._runner.step
        if study and step and self._contention.blocked_by(study, step, is_running=True):
            self._queue.insert(0, study.plan.name)
            self._runner.stop()

    def _on_change(self) -> None:
        study, step = self._runner.study, self._runner.step
        if study is None:
            return
        self._store.update(study)
        self._progress = step_progress(step) if step else None
        if step is None and not left_steps(study):
            self._store.set_running_name("")
            self.finished.emit(study.plan.name)
        self.advance()

    def _on_event(self, event: JobEvent) -> None:
        if self._runner.step and isinstance(event, PROGRESS):
            self._progress = step_progress(self._runner.step, event)
            self.changed.emit()
