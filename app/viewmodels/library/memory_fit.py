"""Whether each model fits this machine at the context that the person looks at."""

from pathlib import Path

from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit, runtime_on

CONTEXTS = (4096, 8192, 16384, 32768, 65536, 131072)
"""In tokens, to choose from."""
USUAL = 8192


class MemoryFit:
    """Keeps what it has reckoned; `context` is in tokens, and a model that has less of it is reckoned with its own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.context = USUAL
        self._known: dict[tuple[Path, int], tuple[ModelDescription, Fit]] = {}

    def of(self, model: ModelDescription) -> Fit:
        """Return the sum for `model`."""
        context = min(self.context, model.context_length or self.context)
        description, known = self._known.get((model.path, context), (None, None))
        if known is None or description is not model:
            known = fit(model, self._machine, context=context, runtime=runtime_on(self._machine, model))
            self._known[model.path, context] = model, known
        return known
