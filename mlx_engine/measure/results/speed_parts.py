"""The parts of a measurement of speed, and which of them a model and a machine cannot do."""

from dataclasses import dataclass, replace
from typing import Literal

from mlx_engine.amounts import format_memory
from mlx_engine.errors import OutOfMemory
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit
from mlx_engine.protocol import CacheBits


@dataclass(frozen=True, slots=True)
class SpeedPart:
    """One figure: reading a prompt of so many `tokens`, or decoding after so many; it ends with `context` tokens."""

    kind: Literal["reading", "decoding"]
    tokens: int
    context: int

    @property
    def words(self) -> str:
        """As the beginning of a sentence."""
        if self.kind == "reading":
            return f"reading {self.tokens:,} tokens"
        return f"decoding after {self.tokens:,} tokens" if self.tokens else "decoding"


def speed_parts(plan: SpeedPlan) -> list[SpeedPart]:
    """Return what the plan asks for, each once, the shortest context first: what fails at one length, ends the rest."""
    reading = [SpeedPart("reading", tokens, tokens + 1) for tokens in dict.fromkeys(plan.prompts)]
    # The token that is put in, and the first one that comes out, which is not timed.
    decoding = [SpeedPart("decoding", tokens, tokens + 2 + plan.decode_tokens) for tokens in dict.fromkeys(plan.depths)]
    return sorted((*reading, *decoding), key=lambda part: (part.tokens, part.context))


def limit_to_free_memory(machine: Machine, free_bytes: int) -> Machine:
    """Return the machine with what is free of its memory, where that is less than what a model may hold."""
    if free_bytes >= machine.working_set_bytes:
        return machine
    return replace(machine, working_set_bytes=free_bytes, working_set_source="free just now")


@dataclass(frozen=True, slots=True)
class SpeedBounds:
    """What `model` can do on `machine` with its context in so many bits: as long as it lasts, and as fits."""

    model: ModelDescription
    machine: Machine
    cache_bits: CacheBits

    def require_room(self) -> None:
        """Pass if the weights fit.

        Raises:
            OutOfMemory: they do not; a measurement would make the machine swap.
        """
        found = self._fit(1)
        if found.verdict == "too large":
            raise OutOfMemory(
                f"Measuring {self.model.name} needs {format_memory(found.estimate.total_bytes)} of memory, but only "
                f"{format_memory(self.machine.working_set_bytes)} is free. Close other apps and unload models, or use "
                "a model with fewer bits."
            )

    def beyond_context(self, part: SpeedPart) -> str:
        """Return that the model does not last so long, as the end of a sentence; "" if it does."""
        longest = self.model.context_length
        if not longest or part.context <= longest:
            return ""
        return f"{part.words}, which is beyond the model's context of {longest:,} tokens"

    def beyond_memory(self, part: SpeedPart) -> str:
        """Return that a part does not fit, likewise."""
        found = self._fit(part.context)
        if found.verdict != "too large":
            return ""
        needed, available = format_memory(found.estimate.total_bytes), format_memory(self.machine.working_set_bytes)
        return f"{part.words}, which needs {needed} of memory, but only {available} is free"

    def _fit(self, context: int) -> Fit:
        return fit(self.model, self.machine, context=context, cache_bits=self.cache_bits)
