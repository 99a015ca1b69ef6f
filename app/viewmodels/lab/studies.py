"""The studies on this machine: the one that is shown, and what is done with them."""

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import QObject, Signal

from app.viewmodels.lab.format import describe_judgement
from app.viewmodels.lab.lines import StudyLine, study_lines
from app.viewmodels.lab.status import StudyStatus, left_steps
from app.viewmodels.lab.study_queue import NO_CONTENTION, Contention, StudyQueue, StudyRunner
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.time_estimate import Speeds, speeds_from_history
from mlx_engine.errors import FacetError
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Row, Study, ready_to_retry


class Lab(QObject):
    """`beside` knows what else the computer does. Models have `available_bytes` of memory on this machine."""

    opened = Signal()  # another study is shown, or none
    changed = Signal()  # the study that is shown, or how far it is
    finished = Signal(str)  # the name of a study with nothing left to do
    problem = Signal(str, str)  # title, message

    def __init__(
        self,
        shelf: StudyStore,
        runner: StudyRunner,
        pace: Speeds,
        *,
        available_bytes: int,
        beside: Contention = NO_CONTENTION,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.available_bytes = available_bytes
        self._shelf, self._guess = shelf, pace
        self._shown = next(iter(shelf.names), "")
        self._turns = StudyQueue(shelf, runner, beside, self.pace, self)
        self._turns.changed.connect(self.changed)
        self._turns.finished.connect(self.finished)
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
        return self._turns.running

    @property
    def foremost(self) -> str:
        """The name of the study that is worked on, or else of the one that waits for its turn; "" if none."""
        return next(iter(self._turns.names), "")

    @property
    def is_running(self) -> bool:
        """Whether the one that is shown is worked on, or waits for its turn."""
        return self._turns.has(self._shown)

    @property
    def interrupted(self) -> str:
        """The name of a study that the last run of Facet has left in the middle; "" if none."""
        study = self._shelf.get(self._shelf.under_way)
        return study.plan.name if study and not self.running and left_steps(study) else ""

    def pace(self, study: Study) -> Speeds:
        """Return how fast this machine works on models like those of `study`, from all that was measured."""
        return speeds_from_history(self._shelf.studies, self._guess, study.original)

    def refresh(self) -> None:
        """Follow what the command line has done meanwhile."""
        if not self._shelf.look(spared=self._turns.names):
            return
        if self.study is None:
            self._shown = next(iter(self.names), "")
            self.opened.emit()
        self.changed.emit()

    def open(self, name: str) -> None:
        """Show this study; "" shows none."""
        if name != self._shown:
            self._shown = name
            self._tell_opened()

    def begin(self, study: Study) -> bool:
        """Keep a new study, show it and run it; return whether it could be kept."""
        # The command line may have begun one of this name meanwhile.
        self._shelf.look(spared=self._turns.names)
        if not self._try(lambda: self._shelf.add(study)):
            return False
        self.open(study.plan.name)
        self.start()
        return True

    def start(self) -> None:
        """Go on with the study that is shown when it is its turn; what has failed is tried again."""
        study = self.study
        if study is None or self.is_running:
            return
        fresh = ready_to_retry(study)
        if self._try(lambda: self._shelf.keep(fresh)):
            self._turns.add(self._shown)

    def go_on(self) -> None:
        """Look whether a study that waits can begin, or one that runs has to wait."""
        self._turns.go_on()

    def stop(self) -> None:
        """Stop the study that is shown; it can be gone on with."""
        self._turns.drop(self._shown)

    def rename(self, name: str, new: str) -> None:
        """Give the study another name."""
        new = new.strip()
        if not new or new == name or self._turns.has(name):
            return
        if self._try(lambda: self._shelf.rename(name, new)):
            self._shown = new if self._shown == name else self._shown
            self._tell_opened()

    def delete(self, name: str) -> None:
        """Delete the study and its figures; models and kept answers stay."""
        self._turns.drop(name)
        if self._try(lambda: self._shelf.forget(name)):
            if name == self._shown:
                self._shown = next(iter(self.names), "")
            self._tell_opened()

    def set_gates(self, gates: Gates | None) -> None:
        """Hold the study that is shown against other limits, at any time."""
        if self._shown and self._shown == self.running:
            self._turns.set_gates(gates)
        elif study := self.study:
            self._keep(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, gates=gates)))

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

    def lines(self) -> list[StudyLine]:
        """Return what the table shows."""
        study = self.study
        if study is None:
            return []
        present = self._turns.present(self._shown)
        return study_lines(study, present, describe_judgement(study)[0])

    @property
    def judgement(self) -> str:
        """Who wins by the limits of the study, in a sentence; "" without limits."""
        study = self.study
        return describe_judgement(study)[1] if study else ""

    @property
    def underway(self) -> tuple[str, float]:
        """The foremost study and how far it is, in words and as a share; "" while there is none."""
        return self._turns.underway

    @property
    def stand(self) -> StudyStatus:
        """How the study that is shown stands."""
        study = self.study
        return self._turns.stand(study) if study else StudyStatus("")

    def close(self) -> None:
        """End the process; the next run of Facet offers to go on."""
        self._turns.close()

    def _change_rows(self, change: Callable[[Row], Row | None]) -> None:
        if study := self.study:
            rows = tuple(changed for row in study.rows if (changed := change(row)) is not None)
            self._replace(msgspec.structs.replace(study, rows=rows))

    def _replace(self, study: Study) -> None:
        """Keep another version of the study that is shown, unless it is being worked on or waits."""
        if not self.is_running:
            self._keep(study)

    def _keep(self, study: Study) -> None:
        if self._try(lambda: self._shelf.keep(study)):
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
