"""The terms of a model's memory, and alternatives that need less."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory import cache_precision
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit
from mlx_engine.protocol import CacheBits

_step = 1024
"""Suggested contexts are multiples of this many tokens; a shorter one is too short for a conversation."""


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the sum. A total is the sum of the lines above it, or the memory that it is compared with."""

    label: str
    size_bytes: int
    remark: str = ""
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Changes that would each make it fit: a shorter context (0: none), a smaller KV cache, another model."""

    context: int = 0
    cache_bits: CacheBits | None = None
    model: ModelDescription | None = None


def terms(model: ModelDescription, memory: Fit, bits: CacheBits) -> tuple[Term, ...]:
    """Return the lines of the sum: three terms and their total, then the machine's memory and its reserve."""
    need, machine = memory.estimate, memory.machine
    return (
        Term("Weights", need.weights_bytes, model.quantization),
        Term("Context", need.cache_bytes, f"{need.context:,} tokens, {bits}-bit KV cache"),
        Term("Working memory", need.work_bytes, "while reading a prompt, at most"),
        Term("Total", need.total_bytes, is_total=True),
        Term("This Mac", machine.working_set_bytes, machine.working_set_source, is_total=True),
        Term("Kept free", machine.reserve_bytes, "for the system and for estimation errors"),
    )


def alternatives(
    model: ModelDescription,
    machine: Machine,
    *,
    context: int,
    cache_bits: CacheBits,
    used_tokens: int = 0,
    others: Iterable[ModelDescription] = (),
) -> Alternatives:
    """Return alternatives to `model` at `context`, of which `used_tokens` are already in use."""
    longest = fit(model, machine, context=context, cache_bits=cache_bits).largest_context // _step * _step
    shorter = longest if max(_step, used_tokens) <= longest < context else 0
    fitting = [other for other in others if other.id != model.id and _fits(other, machine, context, 16)]
    return Alternatives(shorter, _fewer_bits(model, machine, context, cache_bits), _nearest(model, fitting))


def _fits(model: ModelDescription, machine: Machine, context: int, bits: CacheBits) -> bool:
    context = min(context, model.context_length or context)
    return fit(model, machine, context=context, cache_bits=bits).verdict == "fits"


def _fewer_bits(model: ModelDescription, machine: Machine, context: int, bits: CacheBits) -> CacheBits | None:
    if cache_precision.obstacle(model):
        return None
    choices: tuple[CacheBits, ...] = (8, 4)
    return next((choice for choice in choices if choice < bits and _fits(model, machine, context, choice)), None)


def _nearest(model: ModelDescription, fitting: Sequence[ModelDescription]) -> ModelDescription | None:
    """Return the same network with the most bits, or else the largest other one.

    Two models are the same network if architecture, shape and number of weights are equal.
    """

    def is_same(other: ModelDescription) -> bool:
        return (other.architecture, other.shape, other.parameters) == (
            model.architecture,
            model.shape,
            model.parameters,
        )

    same = [other for other in fitting if is_same(other)]
    return max(same or fitting, key=lambda other: (other.parameters, other.bits_per_weight), default=None)
