"""Parameters of the current conversation: system prompt, sampling, thinking, context and KV cache."""

from PySide6.QtCore import QObject, Signal

from app.domain.conversation import replace_surrogates
from app.viewmodels.chat.drafts import Drafts
from app.viewmodels.chat.open_conversation import OpenConversation
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.declared import check_struct
from mlx_engine.errors import InvalidParameter
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory import cache_precision
from mlx_engine.protocol import CacheBits
from mlx_engine.sampling import Sampling


class Parameters(QObject):
    """Changes apply to the next answer."""

    changed = Signal()
    memory_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(
        self, opened: OpenConversation, drafts: Drafts, library: ModelLibrary, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._open, self._drafts, self._library = opened, drafts, library

    @property
    def system_prompt(self) -> str:
        return self._open.value.system_prompt

    @property
    def sampling(self) -> Sampling:
        return self._open.value.sampling

    @property
    def think(self) -> bool:
        return self._open.value.think

    @property
    def context(self) -> int:
        """Limit of prompt and answer in tokens; 0 is the model's maximum."""
        return self._open.value.context

    @property
    def cache_bits(self) -> CacheBits:
        """Bits of the KV cache: the chosen ones, or 16 if the model does not support fewer."""
        return 16 if self.cache_obstacle else self._open.value.cache_bits

    @property
    def cache_obstacle(self) -> str:
        """Reason why the model needs a 16-bit KV cache, or ""."""
        model = self._library.description(self._open.value.model)
        return cache_precision.obstacle(model) if model else ""

    def cache_bits_of(self, model: ModelDescription) -> CacheBits:
        """Return the bits of the KV cache for `model`."""
        return 16 if cache_precision.obstacle(model) else self._open.value.cache_bits

    @property
    def recommended(self) -> dict[str, float]:
        """Sampling values recommended by the model."""
        return self._drafts.recommended(self._open.value.model)

    def set(self, system_prompt: str, sampling: Sampling, think: bool) -> None:
        """Change prompt, sampling and thinking; values out of range are rejected."""
        try:
            check_struct(sampling)
        except InvalidParameter as error:
            self.problem.emit(error.title, error.message)
            return
        current = (self.system_prompt, self.sampling, self.think)
        values = (replace_surrogates(system_prompt), sampling, think)
        if values != current and self._open.change(system_prompt=values[0], sampling=sampling, think=think):
            self.changed.emit()

    def set_memory(self, *, context: int | None = None, cache_bits: CacheBits | None = None) -> None:
        """Change the context limit or the bits of the KV cache; None keeps a value."""
        before = self._open.value
        context = before.context if context is None else max(context, 0)
        bits = cache_bits or before.cache_bits
        if (context, bits) != (before.context, before.cache_bits) and self._open.change(
            context=context, cache_bits=bits
        ):
            self.memory_changed.emit()
            self.changed.emit()

    def reset(self) -> None:
        """Set the values of a new conversation with this model."""
        new = self._drafts.new()
        self.set(new.system_prompt, self._drafts.sampling(self._open.value.model), new.think)
        self.set_memory(context=new.context, cache_bits=new.cache_bits)
