"""Fake of `StudyBridge`, controlled by the test."""

import msgspec
from PySide6.QtCore import QObject, Signal

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Step, Study, after, after_failure, remaining


class FakeStudyBridge(QObject):
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

    def emit_event(self, event: JobEvent) -> None:
        """Emit an event of the current step that is not its last."""
        self.event_received.emit(event)

    def end_step(self, event: JobEvent) -> None:
        """Complete the current step with its result."""
        assert self.study
        assert self.step
        self.study = after(self.study, self.step, event)
        self._next()

    def fail(self, title: str, message: str) -> None:
        """Fail the current step."""
        assert self.study
        assert self.step
        self.study = after_failure(self.study, self.step, title, message)
        self._next()

    def _next(self) -> None:
        assert self.study
        self.step = next(remaining(self.study), None)
        self.changed.emit()
