"""The studies on this Mac: the current one, and the actions on them."""

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
    """The current study is the one that the page shows. `available_bytes` is the memory for models on this Mac."""

    opened = Signal()  # another study is current, or none
    changed = Signal()  # the current study or its progress
    finished = Signal(str)  # the name of a study without remaining steps
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
        self._current = next(iter(shelf.names), "")
        self._turns = StudyQueue(shelf, runner, beside, self.pace, self)
        self._turns.changed.connect(self.changed)
        self._turns.finished.connect(self.finished)
        runner.problem.connect(self.problem)

    @property
    def names(self) -> Sequence[str]:
        """The names of all studies, the most recent first."""
        return self._shelf.names

    @property
    def study(self) -> Study | None:
        """The current study."""
        return self._shelf.get(self._current)

    @property
    def running(self) -> str:
        """The name of the running study; "" if there is none."""
        return self._turns.running

    @property
    def foremost(self) -> str:
        """The name of the running study, or else of the next one in the queue; "" if there is none."""
        return next(iter(self._turns.names), "")

    @property
    def is_running(self) -> bool:
        """True if the current study is running or in the queue."""
        return self._turns.has(self._current)

    @property
    def interrupted(self) -> str:
        """The name of a study that was running when Facet quit; "" if there is none."""
        study = self._shelf.get(self._shelf.under_way)
        return study.plan.name if study and not self.running and left_steps(study) else ""

    def pace(self, study: Study) -> Speeds:
        """Return the speeds of this Mac for models like those of `study`, from all earlier measurements."""
        return speeds_from_history(self._shelf.studies, self._guess, study.original)

    def refresh(self) -> None:
        """Update from changes by the command line."""
        if not self._shelf.look(spared=self._turns.names):
            return
        if self.study is None:
            self._current = next(iter(self.names), "")
            self.opened.emit()
        self.changed.emit()

    def open(self, name: str) -> None:
        """Show this study; "" shows none."""
        if name != self._current:
            self._current = name
            self._emit_opened()

    def begin(self, study: Study) -> bool:
        """Save, open and run a new study; return False if it cannot be saved."""
        # The command line may have started one with the same name.
        self._shelf.look(spared=self._turns.names)
        if not self._try(lambda: self._shelf.add(study)):
            return False
        self.open(study.plan.name)
        self.start()
        return True

    def start(self) -> None:
        """Add the current study to the queue; failed steps are tried again."""
        study = self.study
        if study is None or self.is_running:
            return
        fresh = ready_to_retry(study)
        if self._try(lambda: self._shelf.keep(fresh)):
            self._turns.add(self._current)

    def go_on(self) -> None:
        """Start the next study if it can run, or hold the running one if it has to wait."""
        self._turns.go_on()

    def stop(self) -> None:
        """Pause the current study. It can be resumed."""
        self._turns.drop(self._current)

    def rename(self, name: str, new: str) -> None:
        """Give the study another name."""
        new = new.strip()
        if not new or new == name or self._turns.has(name):
            return
        if self._try(lambda: self._shelf.rename(name, new)):
            self._current = new if self._current == name else self._current
            self._emit_opened()

    def delete(self, name: str) -> None:
        """Delete the study and its results, but not its models and stored references."""
        self._turns.drop(name)
        if self._try(lambda: self._shelf.forget(name)):
            if name == self._current:
                self._current = next(iter(self.names), "")
            self._emit_opened()

    def set_gates(self, gates: Gates | None) -> None:
        """Change the limits of the current study, also while it runs."""
        if self._current and self._current == self.running:
            self._turns.set_gates(gates)
        elif study := self.study:
            self._keep(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, gates=gates)))

    def drop_results(self, label: str) -> None:
        """Delete the results of one model, so that it is measured again when the study resumes."""
        self._change_rows(
            lambda row: (
                msgspec.structs.replace(row, fidelity=(), speed=None, failures=()) if row.label == label else row
            )
        )

    def drop_row(self, label: str) -> None:
        """Remove a model from the study, but not from the library."""
        self._change_rows(lambda row: None if row.label == label and not row.is_original else row)

    def lines(self) -> list[StudyLine]:
        """Return the rows of the table."""
        study = self.study
        if study is None:
            return []
        present = self._turns.present(self._current)
        return study_lines(study, present, describe_judgement(study)[0])

    @property
    def judgement(self) -> str:
        """The winner within the limits of the study, as a sentence; "" without limits."""
        study = self.study
        return describe_judgement(study)[1] if study else ""

    @property
    def underway(self) -> tuple[str, float]:
        """The foremost study with its progress as text, and as a share; "" if there is none."""
        return self._turns.underway

    @property
    def stand(self) -> StudyStatus:
        """The status of the current study."""
        study = self.study
        return self._turns.stand(study) if study else StudyStatus("")

    def close(self) -> None:
        """End the process; the next run of Facet offers to resume."""
        self._turns.close()

    def _change_rows(self, change: Callable[[Row], Row | None]) -> None:
        if study := self.study:
            rows = tuple(changed for row in study.rows if (changed := change(row)) is not None)
            self._replace(msgspec.structs.replace(study, rows=rows))

    def _replace(self, study: Study) -> None:
        """Replace the current study, unless it is running or in the queue."""
        if not self.is_running:
            self._keep(study)

    def _keep(self, study: Study) -> None:
        if self._try(lambda: self._shelf.keep(study)):
            self.changed.emit()

    def _try(self, act: Callable[[], None]) -> bool:
        """Call `act`, which may fail; report a problem and return False if it does."""
        try:
            act()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return False
        return True

    def _emit_opened(self) -> None:
        self.opened.emit()
        self.changed.emit()
