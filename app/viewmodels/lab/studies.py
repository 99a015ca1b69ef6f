"""The studies on this Mac: the open one, and the actions on them."""

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
    """`speeds` are the defaults for time estimates; `available_bytes` is the memory for models on this Mac."""

    opened = Signal()  # another study is open, or none
    changed = Signal()  # the open study, or the progress of any study
    finished = Signal(str)  # the name of a study without steps left
    problem = Signal(str, str)  # title, message

    def __init__(
        self,
        store: StudyStore,
        runner: StudyRunner,
        speeds: Speeds,
        *,
        available_bytes: int,
        contention: Contention = NO_CONTENTION,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.available_bytes = available_bytes
        self._store, self._default_speeds = store, speeds
        self._open_name = next(iter(store.names), "")
        self._queue = StudyQueue(store, runner, contention, self.speeds, self)
        self._queue.changed.connect(self.changed)
        self._queue.finished.connect(self.finished)
        runner.problem.connect(self.problem)

    @property
    def names(self) -> Sequence[str]:
        """The names of all studies, latest first."""
        return self._store.names

    @property
    def study(self) -> Study | None:
        """The open study."""
        return self._store.get(self._open_name)

    @property
    def running(self) -> str:
        """The name of the running study, "" if there is none."""
        return self._queue.running

    @property
    def foremost(self) -> str:
        """The name of the running study, or else of the next one in the queue; "" if there is none."""
        return next(iter(self._queue.names), "")

    @property
    def is_running(self) -> bool:
        """True if the open study is running or waiting."""
        return self._queue.contains(self._open_name)

    @property
    def interrupted(self) -> str:
        """The name of the study that was running when Facet quit or crashed, "" if there is none."""
        study = self._store.get(self._store.running_name)
        return study.plan.name if study and not self.running and left_steps(study) else ""

    def speeds(self, study: Study) -> Speeds:
        """Return the speeds on this Mac of models like those of `study`, from all measurements."""
        return speeds_from_history(self._store.studies, self._default_speeds, study.original)

    def refresh(self) -> None:
        """Load changes that the command line made."""
        if not self._store.reload(keep=self._queue.names):
            return
        if self.study is None:
            self._open_name = next(iter(self.names), "")
            self.opened.emit()
        self.changed.emit()

    def open(self, name: str) -> None:
        """Open a study, "" for none."""
        if name != self._open_name:
            self._open_name = name
            self._emit_opened()

    def add(self, study: Study) -> bool:
        """Save, open and run a new study; return True if it was saved."""
        # The command line may have started a study with this name.
        self._store.reload(keep=self._queue.names)
        if not self._try(lambda: self._store.add(study)):
            return False
        self.open(study.plan.name)
        self.resume()
        return True

    def resume(self) -> None:
        """Run the open study, after those before it; failed steps are tried again."""
        study = self.study
        if study is None or self.is_running:
            return
        without_failures = ready_to_retry(study)
        if self._try(lambda: self._store.save(without_failures)):
            self._queue.add(self._open_name)

    def advance(self) -> None:
        """Start the next study unless it is blocked; pause the running one if it is blocked now."""
        self._queue.advance()

    def pause(self) -> None:
        """Pause the open study. It can be resumed."""
        self._queue.remove(self._open_name)

    def rename(self, name: str, new: str) -> None:
        """Rename a study that is neither running nor waiting."""
        new = new.strip()
        if not new or new == name or self._queue.contains(name):
            return
        if self._try(lambda: self._store.rename(name, new)):
            self._open_name = new if self._open_name == name else self._open_name
            self._emit_opened()

    def delete(self, name: str) -> None:
        """Delete a study with its results; models and stored predictions stay."""
        self._queue.remove(name)
        if self._try(lambda: self._store.delete(name)):
            if name == self._open_name:
                self._open_name = next(iter(self.names), "")
            self._emit_opened()

    def set_gates(self, gates: Gates | None) -> None:
        """Change the limits of the open study, even while it runs."""
        if self._open_name and self._open_name == self.running:
            self._queue.set_gates(gates)
        elif study := self.study:
            self._save(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, gates=gates)))

    def discard_results(self, label: str) -> None:
        """Discard the results of one model, so that it is measured again when the study resumes."""
        self._change_rows(
            lambda row: (
                msgspec.structs.replace(row, fidelity=(), speed=None, failures=()) if row.label == label else row
            )
        )

    def remove_row(self, label: str) -> None:
        """Remove a model from the study; the model itself stays."""
        self._change_rows(lambda row: None if row.label == label and not row.is_original else row)

    def lines(self) -> list[StudyLine]:
        """Return the lines of the table."""
        study = self.study
        if study is None:
            return []
        step = self._queue.current_step(self._open_name)
        return study_lines(study, step, describe_judgement(study)[0])

    @property
    def judgement(self) -> str:
        """A sentence about the best candidate within the limits of the study, "" without limits."""
        study = self.study
        return describe_judgement(study)[1] if study else ""

    @property
    def progress(self) -> tuple[str, float]:
        """The foremost study with its progress, as text and as a share; "" if there is none."""
        return self._queue.progress

    @property
    def status(self) -> StudyStatus:
        """The status of the open study."""
        study = self.study
        return self._queue.status(study) if study else StudyStatus("")

    def close(self) -> None:
        """End the process; the next start of Facet offers to resume."""
        self._queue.close()

    def _change_rows(self, change: Callable[[Row], Row | None]) -> None:
        """Change or remove rows of the open study, unless it is running or waiting."""
        study = self.study
        if study and not self.is_running:
            rows = tuple(changed for row in study.rows if (changed := change(row)) is not None)
            self._save(msgspec.structs.replace(study, rows=rows))

    def _save(self, study: Study) -> None:
        if self._try(lambda: self._store.save(study)):
            self.changed.emit()

    def _try(self, action: Callable[[], None]) -> bool:
        """Run an action that may fail on the disk, and report a failure; return True if it succeeded."""
        try:
            action()
        except FacetError as error:
            self.problem.emit(error.title, error.message)
            return False
        return True

    def _emit_opened(self) -> None:
        self.opened.emit()
        self.changed.emit()
