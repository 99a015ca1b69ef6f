"""The studies on this machine: the one that is shown, and the one that runs."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from PySide6.QtCore import QObject, Signal, SignalInstance

from app.viewmodels.lab_lines import Line, lines
from app.viewmodels.lab_pace import Countdown, Pace, learned
from app.viewmodels.lab_shelf import LabShelf
from app.viewmodels.lab_stand import Stand, at_rest, left_steps, running, share_done, waiting
from app.viewmodels.lab_words import Progress, judgement_in_words, progress
from mlx_engine.engine.job_messages import UNDERWAY, JobEvent
from mlx_engine.errors import FacetError
from mlx_engine.measure.plan import Gates
from mlx_engine.measure.study import Row, Step, Study, tried_again


class Runner(Protocol):
    """What works on a study: a `StudyBridge`."""

    changed: SignalInstance
    told: SignalInstance
    problem: SignalInstance

    @property
    def study(self) -> Study | None: ...
    @property
    def step(self) -> Step | None: ...
    def start(self, study: Study) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Lab(QObject):
    """`is_busy` tells whether something else holds a large model just now; a study waits for its end. Models have
    `available_bytes` of memory on this machine.
    """

    opened = Signal()  # another study is shown, or none
    changed = Signal()  # the study that is shown, or how far it is
    finished = Signal(str)  # the name of a study with nothing left to do
    problem = Signal(str, str)  # title, message

    def __init__(
        self,
        shelf: LabShelf,
        runner: Runner,
        pace: Pace,
        *,
        available_bytes: int,
        is_busy: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.available_bytes = available_bytes
        self._shelf, self._runner, self._guess, self._is_busy = shelf, runner, pace, is_busy
        self._shown = next(iter(shelf.names), "")
        self._queue: list[str] = []
        """The studies that wait for their turn."""
        self._progress: Progress | None = None
        self._countdown: Countdown | None = None
        runner.changed.connect(self._follow)
        runner.told.connect(self._take)
        runner.problem.connect(self.problem)

    @property
    def names(self) -> Sequence[str]:
        """The names of all studies, the latest first."""
        return self._shelf.names

    @property
    def study(self) -> Study | None:
        """The one that is shown."""
        return self._shelf.get(self._shown)

    @property
    def running(self) -> str:
        """The name of the study that is worked on; "" if none."""
        return self._runner.study.plan.name if self._runner.step and self._runner.study else ""

    @property
    def is_running(self) -> bool:
        """Whether the one that is shown is worked on, or waits for its turn."""
        return self._is_taken(self._shown)

    @property
    def interrupted(self) -> str:
        """The name of a study that the last run of Facet has left in the middle; "" if none."""
        study = self._shelf.get(self._shelf.under_way)
        return study.plan.name if study and not self.running and left_steps(study) else ""

    def pace(self) -> Pace:
        """Return how fast this machine is, from all that was measured."""
        return learned(self._shelf.studies, self._guess)

    def open(self, name: str) -> None:
        """Show this study; "" shows none."""
        if name != self._shown:
            self._shown = name
            self._tell_opened()

    def begin(self, study: Study) -> bool:
        """Keep a new study, show it and run it; return whether it could be kept."""
        if not self._try(lambda: self._shelf.keep(study)):
            return False
        self.open(study.plan.name)
        self.start()
        return True

    def start(self) -> None:
        """Go on with the study that is shown when it is its turn; what has failed is tried again."""
        study = self.study
        if study is None or self.is_running:
            return
        fresh = tried_again(study)
        if self._try(lambda: self._shelf.keep(fresh)):
            self._queue.append(self._shown)
            self.try_waiting()

    def try_waiting(self) -> None:
        """Begin with the study that waits, if nothing is in its way any more."""
        if self._queue and not self.running and not self._is_busy():
            name = self._queue.pop(0)
            study = self._shelf.get(name)
            assert study  # noqa: S101 - what is deleted or renamed does not wait
            self._shelf.write_under_way(name)
            self._countdown = Countdown(study, self.pace(), time.monotonic())
            self._runner.start(study)
        self.changed.emit()

    def stop(self) -> None:
        """Stop the study that is shown; it can be gone on with."""
        self._stop(self._shown)

    def rename(self, name: str, new: str) -> None:
        """Give the study another name."""
        new = new.strip()
        if not new or new == name or self._is_taken(name):
            return
        if self._try(lambda: self._shelf.rename(name, new)):
            self._shown = new if self._shown == name else self._shown
            self._tell_opened()

    def delete(self, name: str) -> None:
        """Delete the study and its figures; models and kept answers stay."""
        self._stop(name)
        if self._try(lambda: self._shelf.forget(name)):
            if name == self._shown:
                self._shown = next(iter(self.names), "")
            self._tell_opened()

    def set_gates(self, gates: Gates | None) -> None:
        """Hold the study that is shown against other limits."""
        if study := self.study:
            self._replace(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, gates=gates)))

    def drop_results(self, label: str) -> None:
        """Forget what was found of one model, so that it is measured anew when the study goes on."""
        self._change_rows(
            lambda row: (
                msgspec.structs.replace(row, fidelity=(), speed=None, failures=()) if row.label == label else row
            )
        )

    def drop_row(self, label: str) -> None:
        """Take a model out of the study; the model itself stays."""
        self._change_rows(lambda row: None if row.label == label and not row.is_original else row)

    def lines(self) -> list[Line]:
        """Return what the table shows."""
        study = self.study
        if study is None:
            return []
        present = self._progress.present if self.is_running and self._progress else None
        return lines(study, present, judgement_in_words(study)[0])

    @property
    def judgement(self) -> str:
        """Who wins by the limits of the study, in a sentence; "" without limits."""
        study = self.study
        return judgement_in_words(study)[1] if study else ""

    @property
    def underway(self) -> tuple[str, float]:
        """The study that is worked on and its percentage in words, and the share; "" while none is."""
        study = self._shelf.get(self.running)
        if study is None or self._progress is None:
            return "", 0.0
        share = share_done(study, self._progress.share)
        return f"{study.plan.name} · {share * 100:.0f} %", share

    @property
    def stand(self) -> Stand:
        """How the study that is shown stands."""
        study, step = self.study, self._runner.step
        if study is None:
            return Stand("")
        if self._shown in self._queue:
            return waiting(self.running)
        if self.is_running and self._progress and self._countdown and step:
            left_s = self._countdown.left_s(study, self._progress.share, time.monotonic())
            return running(study, step, self._progress, left_s, is_disturbed=self._is_busy())
        return at_rest(study)

    def close(self) -> None:
        """End the process; the next run of Facet offers to go on."""
        self._runner.close()

    def _follow(self) -> None:
        """Take in that the study has got further."""
        study, step = self._runner.study, self._runner.step
        if study is None:
            return
        self._shelf.take(study)
        self._progress = progress(step) if step else None
        if step is None and not left_steps(study):
            self._shelf.write_under_way("")
            self.finished.emit(study.plan.name)
        self.try_waiting()

    def _is_taken(self, name: str) -> bool:
        return name in self._queue or (bool(name) and name == self.running)

    def _stop(self, name: str) -> None:
        if name in self._queue:
            self._queue.remove(name)
            self.changed.emit()
        elif name and name == self.running:
            self._shelf.write_under_way("")
            self._runner.stop()

    def _take(self, event: JobEvent) -> None:
        if self._runner.step and isinstance(event, UNDERWAY):
            self._progress = progress(self._runner.step, event)
            self.changed.emit()

    def _change_rows(self, change: Callable[[Row], Row | None]) -> None:
        if study := self.study:
            rows = tuple(changed for row in study.rows if (changed := change(row)) is not None)
            self._replace(msgspec.structs.replace(study, rows=rows))

    def _replace(self, study: Study) -> None:
        """Keep another version of the study that is shown, unless it is being worked on."""
        if not self.is_running and self._try(lambda: self._shelf.keep(study)):
            self.changed.emit()

    def _try(self, act: Callable[[], None]) -> bool:
        """Do what may fail on the disk; tell if it does, and return whether it did not."""
        try:
            act()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return False
        return True

    def _tell_opened(self) -> None:
        self.opened.emit()
        self.changed.emit()
