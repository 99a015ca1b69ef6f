"""Asks before a load that exceeds the memory of this Mac or would end an answer. Loads nothing itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.chat.load_question import LoadOption, LoadQuestion, load_options, too_large
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.engine.values.state import Failed, Stopped
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import USUAL_CONTEXT, Fit, fit
from mlx_engine.models.memory.memory_sum import alternatives
from mlx_engine.protocol import CacheBits

_CONTEXT_STEP = 1024
"""The length of a long conversation is rounded up to a multiple of this, in tokens."""


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """A model to load. `context` is the chosen limit (0: maximum); `used_tokens` is the length of the conversation."""

    model: ModelDescription
    context: int
    cache_bits: CacheBits
    used_tokens: int = 0

    @property
    def estimated_context(self) -> int:
        """Context for the estimate: the chosen limit, or the usual one, or more for a longer conversation."""
        rounded = -(-self.used_tokens // _CONTEXT_STEP) * _CONTEXT_STEP
        context = self.context or max(USUAL_CONTEXT, rounded)
        return min(context, self.model.context_length or context)


class LoadGate(QObject):
    """Holds at most one `question`; a new one replaces it. Estimates are compared with the memory of `machine`."""

    question_changed = Signal()
    declined = Signal()  # the user canceled
    memory_tight = Signal(str, str)  # title, message
    smaller_model_requested = Signal()

    def __init__(
        self, bridge: EngineBridge, library: ModelLibrary, machine: Machine, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge, self._library, self._machine = bridge, library, machine
        self._accepted: set[Path] = set()
        """Models that the user loaded anyway, until they are unloaded."""
        self._warned: set[Path] = set()
        self.question: LoadQuestion | None = None
        bridge.state_changed.connect(self._on_state_changed)

    def admits(self, request: LoadRequest, *, change: Callable[..., object], proceed: Callable[[], object]) -> bool:
        """Return True if the model may be loaded, or ask the user.

        An option calls `change` with `context`, `cache_bits` or `model`, then `proceed`, which calls `admits` again.
        """
        self.withdraw()
        memory = self._fit(request)
        if memory.verdict != "too large" or request.model.path in self._accepted:
            self._warn_if_tight(request.model, memory)
            return True
        self._ask(too_large(request.model, memory, request.cache_bits, self._options(request, change, proceed)))
        return False

    def ask_to_stop_answer(
        self, title: str, message: str, *, later: Callable[[], object], now: Callable[[], object]
    ) -> None:
        """Ask about a load that would end an answer: proceed `later`, after the answer, or `now`."""
        options = (
            LoadOption("Load After the Answer", self._closing(later)),
            LoadOption("Stop and Load", self._closing(now), "anyway"),
        )
        self._ask(LoadQuestion(title, message, options))

    def decline(self) -> None:
        """Cancel the question; nothing changes."""
        if self.question:
            self.withdraw()
            self.declined.emit()

    def withdraw(self) -> None:
        """Remove a question that no longer applies."""
        if self.question:
            self.question = None
            self.question_changed.emit()

    def _fit(self, request: LoadRequest) -> Fit:
        return fit(
            request.model,
            self._machine,
            context=request.estimated_context,
            cache_bits=request.cache_bits,
        )

    def _options(
        self, request: LoadRequest, change: Callable[..., object], proceed: Callable[[], object]
    ) -> list[LoadOption]:
        ways = alternatives(
            request.model,
            self._machine,
            context=request.estimated_context,
            cache_bits=request.cache_bits,
            used_tokens=request.used_tokens,
            others=self._library.usable(),
        )

        def changed(**values: object) -> None:
            self.withdraw()
            change(**values)
            proceed()

        def accept() -> None:
            self._accepted.add(request.model.path)
            proceed()

        return [
            *load_options(ways, changed),
            LoadOption("Find a Smaller Model", self.smaller_model_requested.emit, "elsewhere"),
            LoadOption("Load Anyway", self._closing(accept), "anyway"),
        ]

    def _closing(self, act: Callable[[], object]) -> Callable[[], object]:
        def choose() -> None:
            self.withdraw()
            act()

        return choose

    def _ask(self, question: LoadQuestion) -> None:
        self.question = question
        self.question_changed.emit()

    def _warn_if_tight(self, model: ModelDescription, memory: Fit) -> None:
        """Warn once per load when memory is tight."""
        if memory.verdict == "tight" and model.path not in self._warned:
            self._warned.add(model.path)
            self.memory_tight.emit(f"{model.name} needs nearly all memory", memory.summary)

    def _on_state_changed(self, model: Path) -> None:
        if isinstance(self._bridge.state(model), Stopped | Failed):
            self._accepted.discard(model)
            self._warned.discard(model)
