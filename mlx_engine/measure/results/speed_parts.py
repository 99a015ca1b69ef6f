"""The parts of a speed measurement, and the limits that rule some of them out for a model and a machine."""

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
    """One rate: prefill of a prompt of `tokens`, or decoding after `tokens`. It needs a context of `context` tokens."""

    kind: Literal["prefill", "decode"]
    tokens: int
    context: int

    @property
    def text(self) -> str:
        """A phrase for the start of a sentence or a list."""
        if self.kind == "prefill":
            return f"prefill of {self.tokens:,} tokens"
        return f"decoding after {self.tokens:,} tokens" if self.tokens else "decoding"


def speed_parts(plan: SpeedPlan) -> list[SpeedPart]:
    """Return the distinct parts of the plan, shortest context first, so that a failure at one length ends the run."""
    prefill = [SpeedPart("prefill", tokens, tokens + 1) for tokens in dict.fromkeys(plan.prompts)]
    # Two more for the input token and for the first output token, which is not timed.
    decode = [SpeedPart("decode", tokens, tokens + 2 + plan.decode_tokens) for tokens in dict.fromkeys(plan.depths)]
    return sorted((*prefill, *decode), key=lambda part: (part.tokens, part.context))


def limit_to_free_memory(machine: Machine, free_bytes: int) -> Machine:
    """Return the machine with its free memory as the limit, if that is less than a model may use."""
    if free_bytes >= machine.working_set_bytes:
        return machine
    return replace(machine, working_set_bytes=free_bytes, working_set_source="currently free")


@dataclass(frozen=True, slots=True)
class SpeedBounds:
    """The context length of `model`, and the memory of `machine` for it at one precision of the KV cache."""

    model: ModelDescription
    machine: Machine
    cache_bits: CacheBits

    def require_memory(self) -> None:
        """Require memory for the weights.

        Raises:
            OutOfMemory: they do not fit, so that measuring would make the machine swap.
        """
        fit = self._fit(1)
        if fit.verdict == "too large":
            raise OutOfMemory(
                f"Measuring {self.model.name} needs {format_memory(fit.estimate.total_bytes)} of memory, but only "
                f"{format_memory(self.machine.working_set_bytes)} is free. Close other apps and unload models, or use "
                "a model with fewer bits."
            )

    def beyond_context(self, part: SpeedPart) -> str:
        """Return the part with the reason why the model's context is too short for it, "" if it is not."""
        longest = self.model.context_length
        if not longest or part.context <= longest:
            return ""
        return f"{part.text}, which exceeds the model's context length of {longest:,} tokens"

    def beyond_memory(self, part: SpeedPart) -> str:
        """Return the part with the reason why it does not fit into memory, "" if it does."""
        fit = self._fit(part.context)
        if fit.verdict != "too large":
            return ""
        needed, available = format_memory(fit.estimate.total_bytes), format_memory(self.machine.working_set_bytes)
        return f"{part.text}, which needs {needed} of memory, but only {available} is free"

    def _fit(self, context: int) -> Fit:
        return fit(self.model, self.machine, context=context, cache_bits=self.cache_bits)
