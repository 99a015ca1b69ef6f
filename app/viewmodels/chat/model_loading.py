"""Loads models, on command or before an answer, after questions to the user."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.viewmodels.chat.answering import Answering
from app.viewmodels.chat.load_gate import LoadGate, LoadRequest
from app.viewmodels.chat.parameters import Parameters
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.protocol import CacheBits


class ModelLoading(QObject):
    """Asks through `gate`. `choose` switches to another model when one is too large."""

    def __init__(
        self,
        gate: LoadGate,
        library: ModelLibrary,
        answering: Answering,
        parameters: Parameters,
        *,
        choose: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.gate = gate
        self._library, self._answering, self._parameters = library, answering, parameters
        self._choose = choose

    def load(self, model_id: str) -> None:
        """Load a model; ask first if it does not fit, or if another model is answering."""
        model, running = self._library.description(model_id), self._answering.running
        if model is None:
            return
        if running is None or running.model == model.path:
            self._load(model_id)
            return
        self.gate.ask_to_stop_answer(
            "Another model is answering",
            f"Only one model can be loaded. Loading {model.name} now stops that answer; the text so far is kept.",
            later=lambda: self._answering.call_when_idle(lambda: self._load(model_id)),
            now=lambda: self._load(model_id),
        )

    def admits(self, model: ModelDescription, used_tokens: int, *, proceed: Callable[[str], object]) -> bool:
        """Return True if `model` may be loaded, or ask the user. `proceed` gets the id of the chosen model then."""
        request = LoadRequest(model, self._parameters.context, self._parameters.cache_bits_of(model), used_tokens)
        choice = model.id

        def change(
            *, context: int | None = None, cache_bits: CacheBits | None = None, model: str | None = None
        ) -> None:
            nonlocal choice
            if model is None:
                self._parameters.set_memory(context=context, cache_bits=cache_bits)
            else:
                choice = model
                self._choose(model)

        return self.gate.admits(request, change=change, proceed=lambda: proceed(choice))

    def _load(self, model_id: str) -> None:
        model = self._library.description(model_id)
        if model and self.admits(model, 0, proceed=self._load):
            self._library.load(model_id)
