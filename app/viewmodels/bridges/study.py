"""Where the run of a study meets the window: one queued signal in, and signals out."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal, Slot

from mlx_engine.engine.parents.study_run import StudyParcel, StudyRun
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study


class StudyBridge(QObject):
    """One study at a time. `command` starts a job process; the default is Facet's own."""

    changed = Signal()  # the study has got further, or has ended
    told = Signal(object)  # JobEvent of the present step
    problem = Signal(str, str)  # title, message

    _arrived = Signal(int, object)  # the number of the run, and its StudyParcel, from any thread

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
        """The study that was started last, as far as it is."""
        return self._run.study if self._run else None

    @property
    def step(self) -> Step | None:
        """What is being done; None while nothing is."""
        return self._run.step if self._run else None

    def start(self, study: Study) -> None:
        """Work on the study in the place of whatever was worked on before."""
        self.close()
        self._number += 1
        self._run = StudyRun(
            study,
            post=partial(self._arrived.emit, self._number),
            on_event=self.told.emit,
            on_change=self.changed.emit,
            folders=self._folders,
            command=self._command,
        )
        self._guarded(self._run.start)

    def set_gates(self, gates: Gates | None) -> None:
        """Hold the study that is worked on against other limits."""
        if self._run:
            self._guarded(partial(self._run.set_gates, gates))

    def stop(self) -> None:
        """End what is being done; what is on the disk stays."""
        self.close()
        self.changed.emit()

    def close(self) -> None:
        """End the process."""
        if self._run:
            self._run.close()

    @Slot(int, object)
    def _receive(self, number: int, parcel: StudyParcel) -> None:
        if self._run and number == self._number:
            self._guarded(partial(self._run.receive, parcel))

    def _guarded(self, act: Callable[[], None]) -> None:
        """Do what may find the disk full; the study stops then."""
        try:
            act()
        except FacetError as error:
            self.stop()
            self.problem.emit(error.title, error.message)
