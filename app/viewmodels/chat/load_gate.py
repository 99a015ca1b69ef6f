"""Asks before a load that does not fit this machine, or that would end an answer. Loads nothing itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.chat.load_question import LoadQuestion, Way, too_large, ways_in_words
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.engine.values.state import Failed, Stopped
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import USUAL_CONTEXT, Fit, fit
from mlx_engine.models.memory.memory_sum import alternatives
from mlx_engine.protocol import CacheBits

_ROUND = 1024
"""Tokens to which a conversation is rounded up that is longer than the usual context."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A model that is to answer: `context` as chosen (0: its own), and the tokens that the conversation has so far."""

    model: ModelDescription
    context: int
    cache_bits: CacheBits
    used_tokens: int = 0

    @property
    def reckoned_context(self) -> int:
        """The context to reckon with: the chosen one, or else the usual one, or more if the conversation is longer."""
        rounded = -(-self.used_tokens // _ROUND) * _ROUND
        wanted = self.context or max(USUAL_CONTEXT, rounded)
        return min(wanted, self.model.context_length or wanted)


class LoadGate(QObject):
    """One `question` at a time; the next one takes its place. `machine` is what loads are held against."""

    question_changed = Signal()
    given_up = Signal()  # the person wants nothing of it
    noted = Signal(str, str)  # title, message: it loads, but there is something to know
    smaller_wanted = Signal()

    def __init__(
        self, bridge: EngineBridge, library: ModelLibrary, machine: Machine, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge, self._library, self._machine = bridge, library, machine
        self._accepted: set[Path] = set()
        """What was loaded nevertheless, until it is unloaded."""
        self._noted: set[Path] = set()
        self.question: LoadQuestion | None = None
        bridge.state_changed.connect(self._follow_state)

    def admits(self, wish: Wish, *, change: Callable[..., object], go_on: Callable[[], object]) -> bool:
        """Return whether the model may answer, or else ask.

        A way out calls `change` with `context`, `cache_bits` or `model`, then `go_on`, which is expected to ask here
        again.
        """
        self.withdraw()
        found = self._fit(wish)
        if found.verdict != "too large" or wish.model.path in self._accepted:
            self._note(wish.model, found)
            return True
        self._ask(too_large(wish.model, found, wish.cache_bits, self._ways(wish, change, go_on)))
        return False

    def ask_to_end(self, title: str, message: str, *, later: Callable[[], object], now: Callable[[], object]) -> None:
        """Ask about a load that would end an answer: go on `later`, when it has ended, or `now`."""
        ways = (
            Way("Load after the answer", self._taking(later)),
            Way("Stop the answer and load", self._taking(now), "anyway"),
        )
        self._ask(LoadQuestion(title, message, ways))

    def give_up(self) -> None:
        """Leave everything as it was."""
        if self.question:
            self.withdraw()
            self.given_up.emit()

    def withdraw(self) -> None:
        """Take the question back: what it was about is no longer wanted, or no longer so."""
        if self.question:
            self.question = None
            self.question_changed.emit()

    def _fit(self, wish: Wish) -> Fit:
        return fit(
            wish.model,
            self._machine,
            context=wish.reckoned_context,
            cache_bits=wish.cache_bits,
        )

    def _ways(self, wish: Wish, change: Callable[..., object], go_on: Callable[[], object]) -> list[Way]:
        found = alternatives(
            wish.model,
            self._machine,
            context=wish.reckoned_context,
            cache_bits=wish.cache_bits,
            used_tokens=wish.used_tokens,
            others=self._library.usable(),
        )

        def changed(**values: object) -> None:
            self.withdraw()
            change(**values)
            go_on()

        def accept() -> None:
            self._accepted.add(wish.model.path)
            go_on()

        return [
            *ways_in_words(found, changed),
            Way("Find a smaller one", self.smaller_wanted.emit, "elsewhere"),
            Way("Load anyway", self._taking(accept), "anyway"),
        ]

    def _taking(self, act: Callable[[], object]) -> Callable[[], object]:
        def take() -> None:
            self.withdraw()
            act()

        return take

    def _ask(self, question: LoadQuestion) -> None:
        self.question = question
        self.question_changed.emit()

    def _note(self, model: ModelDescription, found: Fit) -> None:
        """Say once a load that memory is tight."""
        if found.verdict == "tight" and model.path not in self._noted:
            self._noted.add(model.path)
            self.noted.emit(f"{model.name} needs nearly all memory", found.summary)

    def _follow_state(self, model: Path) -> None:
        if isinstance(self._bridge.state(model), Stopped | Failed):
            self._accepted.discard(model)
            self._noted.discard(model)
