"""The studies on this machine: the one that is shown, and the one that runs."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec
from PySide6.QtCore import QObject, Signal, SignalInstance

from app.viewmodels.lab_lines import Line, lines
from app.viewmodels.lab_pace import Countdown, Pace, duration_in_words, learned
from app.viewmodels.lab_words import Progress, judgement_in_words, progress
from mlx_engine.engine.job_messages import UNDERWAY, JobEvent
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure import study_file
from mlx_engine.measure.plan import Gates
from mlx_engine.measure.study import Row, Step, Study, remaining, tried_again

UNDER_WAY = "underway"
"""The file that names the study that is running; it outlives a kill."""


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


@dataclass(frozen=True, slots=True)
class Stand:
    """How a study stands, as its page says it."""

    words: str
    share: float = 0.0
    is_running: bool = False
    can_start: bool = False


class Lab(QObject):
    """`is_busy` tells whether something else holds a large model just now; a study waits for its end."""

    studies_changed = Signal()  # which studies there are
    opened = Signal()  # another study is shown, or none
    changed = Signal()  # the study that is shown, or how far it is
    finished = Signal(str)  # the name of a study with nothing left to do
    problem = Signal(str, str)  # title, message

    def __init__(
        self,
        folders: Folders,
        runner: Runner,
        pace: Pace,
        is_busy: Callable[[], bool] = lambda: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._runner, self._guess, self._is_busy = folders, runner, pace, is_busy
        self._studies = {study.plan.name: study for study in study_file.kept_studies(folders.studies)}
        self._shown = ""
        self._waiting = ""
        self._progress: Progress | None = None
        self._countdown: Countdown | None = None
        runner.changed.connect(self._follow)
        runner.told.connect(self._take)
        runner.problem.connect(self.problem)
        if self._studies:
            self._shown = max(self._studies.values(), key=lambda study: study.created).plan.name

    @property
    def names(self) -> list[str]:
        """The names of all studies, the latest first."""
        return sorted(self._studies, key=lambda name: self._studies[name].created, reverse=True)

    @property
    def study(self) -> Study | None:
        """The one that is shown."""
        return self._studies.get(self._shown)

    @property
    def running(self) -> str:
        """The name of the study that is worked on, or that waits for its turn; "" if none."""
        if self._waiting:
            return self._waiting
        return self._runner.study.plan.name if self._runner.step and self._runner.study else ""

    @property
    def is_running(self) -> bool:
        """Whether it is the one that is shown."""
        return bool(self.running) and self.running == self._shown

    @property
    def interrupted(self) -> str:
        """The name of a study that the last run of Facet has left in the middle; "" if none."""
        try:
            name = (self._folders.studies / UNDER_WAY).read_text()
        except (OSError, UnicodeDecodeError):
            return ""
        study = self._studies.get(name)
        return name if study and not self.running and _left(study) else ""

    def pace(self) -> Pace:
        """Return how fast this machine is, from all that was measured."""
        return learned(self._studies.values(), self._guess)

    def open(self, name: str) -> None:
        """Show this study; "" shows none."""
        if name != self._shown:
            self._shown = name
            self.opened.emit()
            self.changed.emit()

    def begin(self, study: Study) -> bool:
        """Keep a new study, show it and run it; return whether it could be kept."""
        if not self._keep(study):
            return False
        self.studies_changed.emit()
        self.open(study.plan.name)
        self.start()
        return True

    def start(self) -> None:
        """Go on with the study that is shown; what has failed is tried again. Another one that runs is stopped."""
        if not self.study or self.is_running:
            return
        if self.running:
            self.stop()
        if self._keep(tried_again(self.study)):
            self._write_under_way(self._shown)
            self._waiting = self._shown
            self.try_waiting()

    def try_waiting(self) -> None:
        """Begin with the study that waits, if nothing is in its way any more."""
        if self._waiting and not self._is_busy():
            study, self._waiting = self._studies[self._waiting], ""
            self._countdown = Countdown(study, self.pace(), time.monotonic())
            self._runner.start(study)
        self.changed.emit()

    def stop(self) -> None:
        """Stop what runs; it can be gone on with."""
        self._waiting = ""
        self._write_under_way("")
        self._runner.stop()

    def rename(self, name: str, new: str) -> None:
        """Give the study another name."""
        new = new.strip()
        if not new or name in {new, self.running}:
            return
        if new in self._studies:
            self.problem.emit("The name is taken", f"There is a study called {new} already. Choose another name.")
            return
        study = self._studies[name]
        renamed = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name=new))
        if self._keep(renamed):
            self._forget(name)
            self._shown = new if self._shown == name else self._shown
            self.studies_changed.emit()
            self.opened.emit()
            self.changed.emit()

    def delete(self, name: str) -> None:
        """Delete the study and its figures; models and kept answers stay."""
        if name == self.running:
            self.stop()
        self._forget(name)
        if name == self._shown:
            self._shown = next(iter(self.names), "")
        self.studies_changed.emit()
        self.opened.emit()
        self.changed.emit()

    def set_gates(self, gates: Gates | None) -> None:
        """Hold the study that is shown against other limits."""
        if (study := self.study) and study.plan.gates != gates and not self.is_running:
            self._keep(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, gates=gates)))
            self.changed.emit()

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
    def stand(self) -> Stand:
        """How the study that is shown stands."""
        study = self.study
        if study is None:
            return Stand("")
        if self._waiting == self._shown:
            return Stand("Waits until the conversion that runs has ended: two models at once may not fit", 0, True)
        left, whole = _left(study), _steps(study)
        share = (whole - left + (self._progress.share if self._progress else 0)) / max(whole, 1)
        if self.is_running:
            return Stand(self._running_words(study), share, is_running=True)
        if failed := sum(bool(row.failures) for row in study.rows):
            models = "One model has" if failed == 1 else f"{failed} models have"
            more = f", and {left} steps are left" if left else ""
            return Stand(f"{models} failed at something{more}", share, can_start=True)
        if left:
            return Stand(f"Stopped: {left} of {whole} steps are left", share, can_start=True)
        return Stand("")

    def close(self) -> None:
        """End the process; the next run of Facet offers to go on."""
        self._runner.close()

    def _running_words(self, study: Study) -> str:
        step, share = self._runner.step, self._progress.share if self._progress else 0.0
        if step is None:
            return ""
        name = step.label.rpartition("/")[2]
        words = self._progress.present.words if self._progress else ""
        left = self._countdown.left_s(study, share, time.monotonic()) if self._countdown else 0.0
        return f"{name} · {words} · {duration_in_words(left)} left"

    def _follow(self) -> None:
        """Take in that the study has got further."""
        study = self._runner.study
        if study is None:
            return
        self._studies[study.plan.name] = study
        self._progress = progress(self._runner.step) if self._runner.step else None
        if self._runner.step is None and not self._waiting and not _left(study):
            self._write_under_way("")
            self.finished.emit(study.plan.name)
        self.changed.emit()

    def _take(self, event: JobEvent) -> None:
        if self._runner.step and isinstance(event, UNDERWAY):
            self._progress = progress(self._runner.step, event)
            self.changed.emit()

    def _change_rows(self, change: Callable[[Row], Row | None]) -> None:
        if (study := self.study) and not self.is_running:
            rows = tuple(changed for row in study.rows if (changed := change(row)) is not None)
            self._keep(msgspec.structs.replace(study, rows=rows))
            self.changed.emit()

    def _keep(self, study: Study) -> bool:
        try:
            study_file.keep(study, self._folders.studies)
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return False
        self._studies[study.plan.name] = study
        return True

    def _forget(self, name: str) -> None:
        del self._studies[name]
        try:
            study_file.forget(name, self._folders.studies)
        except FacetError as error:
            self.problem.emit(error.title, error.message)

    def _write_under_way(self, name: str) -> None:
        # Without the file, the next run of Facet does not offer to go on; that is no reason not to begin.
        with contextlib.suppress(OSError):
            file = self._folders.studies / UNDER_WAY
            if name:
                file.write_text(name)
            else:
                file.unlink(missing_ok=True)


def _left(study: Study) -> int:
    return sum(1 for _ in remaining(study))


def _steps(study: Study) -> int:
    """Return how many steps the study has from beginning to end."""
    bare = (
        msgspec.structs.replace(row, fidelity=(), speed=None, failures=(), is_made=row.recipe is None)
        for row in study.rows
    )
    return _left(msgspec.structs.replace(study, rows=tuple(bare), answers=""))
