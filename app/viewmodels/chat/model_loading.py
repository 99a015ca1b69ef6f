"""Loads models, once the person is content: by hand, and before an answer."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.viewmodels.chat.answering import Answering
from app.viewmodels.chat.load_gate import LoadGate, Wish
from app.viewmodels.chat.parameters import Parameters
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.protocol import CacheBits


class ModelLoading(QObject):
    """Asks at `gate`. `choose` makes the model of an id the one that answers, in place of one that is too large."""

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
        """Load a model by hand; ask first if it does not fit, or if another one is answering."""
        model, running = self._library.description(model_id), self._answering.running
        if model is None:
            return
        if running is None or running.model == model.path:
            self._load(model_id)
            return
        self.gate.ask_to_end(
            "Another model is answering",
            f"One model is loaded at a time: loading {model.name} now ends that answer. What is there of it stays.",
            later=lambda: self._answering.afterwards(lambda: self._load(model_id)),
            now=lambda: self._load(model_id),
        )

    def admits(self, model: ModelDescription, used_tokens: int, *, go_on: Callable[[str], object]) -> bool:
        """Return whether `model` may be loaded, or else have the person asked.

        Once the person is content, `go_on` gets the id of the model that is to be loaded.
        """
        wish = Wish(model, self._parameters.context, self._parameters.cache_bits_of(model), used_tokens)
        chosen = [model.id]

        def change(
            *, context: int | None = None, cache_bits: CacheBits | None = None, model: str | None = None
        ) -> None:
            if model is None:
                self._parameters.set_memory(context=context, cache_bits=cache_bits)
            else:
                chosen[0] = model
                self._choose(model)

        return self.gate.admits(wish, change=change, go_on=lambda: go_on(chosen[0]))

    def _load(self, model_id: str) -> None:
        model = self._library.description(model_id)
        if model and self.admits(model, 0, go_on=self._load):
            self._library.load(model_id)
