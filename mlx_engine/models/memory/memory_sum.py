"""The sum of a model's memory, term by term, and what makes it smaller."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory import cache_precision
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit, runtime_on
from mlx_engine.protocol import CacheBits

_step = 1024
"""Tokens in which contexts are offered; fewer than that are no conversation."""


@dataclass(frozen=True, slots=True)
class Term:
    """One line of the sum; `remark` says where it comes from."""

    label: str
    size_bytes: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What fits instead, each by itself: a shorter context (0: none), fewer bits for it, another model."""

    context: int = 0
    cache_bits: CacheBits | None = None
    model: ModelDescription | None = None


def terms(model: ModelDescription, found: Fit, bits: CacheBits) -> tuple[Term, ...]:
    """Return the lines of the sum: three that add up to the fourth, and the two that it is held against."""
    need, machine = found.estimate, found.machine
    return (
        Term("weights", need.weights_bytes, model.quantization),
        Term("context", need.cache_bytes, f"{need.context:,} tokens in {bits} bits"),
        Term("space to work", need.work_bytes, "at most, while a prompt is read"),
        Term("together", need.total_bytes),
        Term("this machine", machine.working_set_bytes, machine.working_set_source),
        Term("in reserve", machine.reserve_bytes, "for the system, and what the sum leaves out"),
    )


def ways_out(
    model: ModelDescription,
    machine: Machine,
    *,
    context: int,
    cache_bits: CacheBits,
    used_tokens: int = 0,
    others: Iterable[ModelDescription] = (),
) -> WaysOut:
    """Return what would fit in place of `model` at that `context`, of which `used_tokens` are taken already."""
    longest = _fit(model, machine, context=context, bits=cache_bits).largest_context // _step * _step
    shorter = longest if max(_step, used_tokens) <= longest < context else 0
    fitting = [one for one in others if one.id != model.id and _fits(one, machine, context, 16)]
    return WaysOut(shorter, _fewer_bits(model, machine, context, cache_bits), _nearest(model, fitting))


def _fit(model: ModelDescription, machine: Machine, *, context: int, bits: CacheBits) -> Fit:
    return fit(model, machine, context=context, cache_bits=bits, runtime=runtime_on(machine, model))


def _fits(model: ModelDescription, machine: Machine, context: int, bits: CacheBits) -> bool:
    context = min(context, model.context_length or context)
    return _fit(model, machine, context=context, bits=bits).verdict == "fits"


def _fewer_bits(model: ModelDescription, machine: Machine, context: int, bits: CacheBits) -> CacheBits | None:
    if cache_precision.obstacle(model):
        return None
    choices: tuple[CacheBits, ...] = (8, 4)
    return next((one for one in choices if one < bits and _fits(model, machine, context, one)), None)


def _nearest(model: ModelDescription, fitting: Sequence[ModelDescription]) -> ModelDescription | None:
    """Return the same network in fewer bits, the most of them, or else the largest other one.

    Two are the same network if kind, shape and number of weights are the same.
    """

    def is_same(one: ModelDescription) -> bool:
        return (one.architecture, one.shape, one.parameters) == (model.architecture, model.shape, model.parameters)

    same = [one for one in fitting if is_same(one)]
    return max(same or fitting, key=lambda one: (one.parameters, one.bits_per_weight), default=None)
