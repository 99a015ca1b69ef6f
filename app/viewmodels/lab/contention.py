"""What else this computer does beside a study: chats that answer, the models that they hold, and conversions.

A person comes first: where an answer would spoil a speed that is measured, or both models do not fit into memory, the
study waits.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from app.viewmodels.library.library import ModelLibrary
from mlx_engine.engine.values.state import Ready
from mlx_engine.measure.results.memory_required import measurement_fit
from mlx_engine.measure.study.study import Step, Study
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import fit

QUIET_MS = 20_000
"""How long nothing is answered before a study goes on: who reads an answer may soon ask again."""
_WITH_MODEL = ("reference", "fidelity", "speed")
"""The steps that hold a whole model in memory."""
_CONVERSION, _CHAT = "the conversion has ended", "the chat is quiet"


class ResourceContention(QObject):
    """`is_converting` tells whether a conversion runs just now; whoever knows of a change calls `look`."""

    changed = Signal()

    def __init__(
        self,
        library: ModelLibrary,
        machine: Machine,
        is_converting: Callable[[], bool],
        parent: QObject | None = None,
        *,
        quiet_ms: int = QUIET_MS,
    ) -> None:
        super().__init__(parent)
        self._library, self._machine, self._is_converting = library, machine, is_converting
        self._is_answering = False
        self._seen = (False, False)
        self._quiet = QTimer(self, singleShot=True, interval=quiet_ms)
        self._quiet.timeout.connect(self._grow_quiet)
        library.dataChanged.connect(self.look)
        self.look()

    def look(self) -> None:
        """See what is done just now."""
        if any(not isinstance(state, Ready) for _, state in self._library.active()):
            self._is_answering = True
            self._quiet.stop()
        elif self._is_answering and not self._quiet.isActive():
            self._quiet.start()
        self._tell()

    @property
    def disturbance(self) -> str:
        """What takes time from a study that runs, as a sentence; "" if nothing does."""
        if self._is_converting():
            return "A conversion runs beside it, so this takes longer."
        return "A chat answers beside it, so this takes longer." if self._is_answering else ""

    def obstacle(self, study: Study, step: Step, *, is_begun: bool) -> str:
        """Return until when the study has to wait with this step, or to leave it again if it `is_begun`: what follows
        "until", and why; "" if it need not.
        """
        if self._is_converting() and (step.kind == "speed" or not is_begun):
            why = "it would slow down what is measured" if step.kind == "speed" else "both at once may not fit"
            return f"{_CONVERSION}: {why}"
        if self._is_answering and step.kind == "speed":
            return f"{_CHAT}: an answer would slow down what is measured"
        if self._is_answering and step.kind in _WITH_MODEL and self._crowd(study):
            return f"{_CHAT}: both models do not fit into memory"
        return ""

    def displaced(self, needed_bytes: int) -> list[ModelDescription]:
        """Return the models of chats that have to make room for a study that needs so much."""
        held = [model for model, _ in self._library.active()]
        reckoned = (fit(model, self._machine) for model in held)
        together = needed_bytes + sum(found.estimate.total_bytes for found in reckoned)
        return held if together > self._machine.available_bytes else []

    def make_room(self, study: Study) -> None:
        """Unload models of chats that would not fit beside the study; the next message loads them again."""
        for model in self._crowd(study):
            self._library.unload(model.id)

    def _crowd(self, study: Study) -> list[ModelDescription]:
        known = filter(None, (self._library.description(row.label) for row in study.rows))
        needs = (measurement_fit(model, self._machine, study.plan.convention).estimate.total_bytes for model in known)
        return self.displaced(max(needs, default=0))

    def _grow_quiet(self) -> None:
        self._is_answering = False
        self._tell()

    def _tell(self) -> None:
        seen = (self._is_converting(), self._is_answering)
        if seen != self._seen:
            self._seen = seen
            self.changed.emit()
