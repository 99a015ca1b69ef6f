"""Memory of each model at the selected context."""

from pathlib import Path

from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import USUAL_CONTEXT, Fit, fit

__all__ = ["CONTEXTS", "USUAL_CONTEXT", "MemoryFit"]

CONTEXTS = (4096, 8192, 16384, 32768, 65536, 131072)
"""Choices, in tokens."""


class MemoryFit:
    """Caches estimates. `context`, in tokens, is limited to the model's own maximum."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.context = USUAL_CONTEXT
        self._cache: dict[tuple[Path, int], tuple[ModelDescription, Fit]] = {}

    def of(self, model: ModelDescription) -> Fit:
        """Return the estimate for `model`."""
        context = min(self.context, model.context_length or self.context)
        description, memory = self._cache.get((model.path, context), (None, None))
        if memory is None or description is not model:
            memory = fit(model, self._machine, context=context)
            self._cache[model.path, context] = model, memory
        return memory
