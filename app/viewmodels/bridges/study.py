"""The run of a study with Qt signals: events of its processes reach it through one queued signal."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.study_run import StudyRun
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study


class StudyBridge(QObject):
    """Runs one study at a time. `command` starts a job process."""

    changed = Signal()  # the study has made progress or has ended
    event_received = Signal(object)  # JobEvent of the current step
    problem = Signal(str, str)  # title, message

    _arrived = Signal(int, object)  # number of the run and its Parcel[JobEvent], from any thread

    def __init__(
        self, folders: Folders, parent: QObject | None = None, *, command: Sequence[str] | None = None
    ) -> None:
        super().__init__(parent)
        self._folders, self._command = folders, command
        self._run: StudyRun | None = None
        self._number = 0
        self._arrived.connect(self._receive, Qt.ConnectionType.QueuedConnection)

    @property
    def study(self) -> Study | None:
        """The study started last, with its results so far."""
        return self._run.study if self._run else None

    @property
    def step(self) -> Step | None:
        """The current step; None while no study runs."""
        return self._run.step if self._run else None

    def start(self, study: Study) -> None:
        """Run the study; a study that is running stops."""
        self.close()
        self._number += 1
        self._run = StudyRun(
            study,
            post=partial(self._arrived.emit, self._number),
            on_event=self.event_received.emit,
            on_change=self.changed.emit,
            folders=self._folders,
            command=self._command,
        )
        self._report_errors(self._run.start)

    def set_gates(self, gates: Gates | None) -> None:
        """Check the running study against other limits."""
        if self._run:
            self._report_errors(partial(self._run.set_gates, gates))

    def stop(self) -> None:
        """Stop the study; its results on disk stay."""
        self.close()
        self.changed.emit()

    def close(self) -> None:
        """End the process."""
        if self._run:
            self._run.close()

    @Slot(int, object)
    def _receive(self, number: int, parcel: Parcel[JobEvent]) -> None:
        if self._run and number == self._number:
            self._report_errors(partial(self._run.receive, parcel))

    def _report_errors(self, act: Callable[[], None]) -> None:
        """Run an action that saves the study; if that fails, stop and emit the problem."""
        try:
            act()
        except FacetError as error:
            self.stop()
            self.problem.emit(error.title, error.message)
