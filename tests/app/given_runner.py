"""Stands in the place of a `StudyBridge`: the test says what happens to the study."""

import msgspec
from PySide6.QtCore import QObject, Signal

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study, after, after_failure, remaining


class GivenRunner(QObject):
    changed = Signal()
    event_received = Signal(object)
    problem = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.study: Study | None = None
        self.step: Step | None = None

    def start(self, study: Study) -> None:
        self.study = study
        self._next()

    def set_gates(self, gates: Gates | None) -> None:
        assert self.study
        self.study = msgspec.structs.replace(self.study, plan=msgspec.structs.replace(self.study.plan, gates=gates))

    def stop(self) -> None:
        self.step = None
        self.changed.emit()

    def close(self) -> None:
        self.step = None

    def tell(self, event: JobEvent) -> None:
        """Tell an event of the present step that is not its last."""
        self.event_received.emit(event)

    def end_step(self, event: JobEvent) -> None:
        """End the present step with what it has found."""
        assert self.study
        assert self.step
        self.study = after(self.study, self.step, event)
        self._next()

    def fail(self, title: str, message: str) -> None:
        """End the present step with a failure."""
        assert self.study
        assert self.step
        self.study = after_failure(self.study, self.step, title, message)
        self._next()

    def _next(self) -> None:
        assert self.study
        self.step = next(remaining(self.study), None)
        self.changed.emit()
