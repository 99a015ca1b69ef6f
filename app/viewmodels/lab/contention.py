"""Contention of a study with other work on this Mac: answering chats, their loaded models, and conversions.

The user has priority: the study waits if an answer would distort a speed measurement, or if both models do not fit
into memory.
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
"""Time without an answer before a study resumes, since the user may soon send another message."""
_STEPS_WITH_MODEL = ("reference", "fidelity", "speed")
"""Steps that hold a whole model in memory."""
_CONVERSION, _CHAT = "a conversion to finish", "the chat to finish"


class ResourceContention(QObject):
    """Call `refresh` when a conversion starts or ends; `is_converting` returns True while one runs."""

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
        self._last_state = (False, False)
        self._quiet = QTimer(self, singleShot=True, interval=quiet_ms)
        self._quiet.timeout.connect(self._on_quiet)
        library.dataChanged.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Check for answering chats and running conversions."""
        if any(not isinstance(state, Ready) for _, state in self._library.active()):
            self._is_answering = True
            self._quiet.stop()
        elif self._is_answering and not self._quiet.isActive():
            self._quiet.start()
        self._emit_changes()

    @property
    def slowdown(self) -> str:
        """A sentence about the work that slows down a running study, "" if there is none."""
        if self._is_converting():
            return "Slower while a conversion is running."
        return "Slower while a chat is answering." if self._is_answering else ""

    def blocked_by(self, study: Study, step: Step, *, is_running: bool) -> str:
        """Return the work that blocks this step, which must pause if it `is_running`, "" if none does.

        The text follows "Waiting for": "the chat to finish, since …".
        """
        if self._is_converting() and (step.kind == "speed" or not is_running):
            reason = "it would distort the speed" if step.kind == "speed" else "both may not fit into memory"
            return f"{_CONVERSION}, since {reason}"
        if self._is_answering and step.kind == "speed":
            return f"{_CHAT}, since an answer would distort the speed"
        if self._is_answering and step.kind in _STEPS_WITH_MODEL and self._models_in_the_way(study):
            return f"{_CHAT}, since both models do not fit into memory"
        return ""

    def models_to_unload(self, needed_bytes: int) -> list[ModelDescription]:
        """Return the loaded models if they and a study that needs `needed_bytes` do not fit into memory together."""
        loaded = [model for model, _ in self._library.active()]
        loaded_bytes = sum(fit(model, self._machine).estimate.total_bytes for model in loaded)
        return loaded if needed_bytes + loaded_bytes > self._machine.available_bytes else []

    def free_memory(self, study: Study) -> None:
        """Unload models that do not fit next to the study; the next chat message loads them again."""
        for model in self._models_in_the_way(study):
            self._library.unload(model.id)

    def _models_in_the_way(self, study: Study) -> list[ModelDescription]:
        models = filter(None, (self._library.description(row.label) for row in study.rows))
        needs = (measurement_fit(model, self._machine, study.plan.convention).estimate.total_bytes for model in models)
        return self.models_to_unload(max(needs, default=0))

    def _on_quiet(self) -> None:
        self._is_answering = False
        self._emit_changes()

    def _emit_changes(self) -> None:
        state = (self._is_converting(), self._is_answering)
        if state != self._last_state:
            self._last_state = state
            self.changed.emit()
