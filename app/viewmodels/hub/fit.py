"""Whether a model on the Hub fits this machine, by the same sum as one in the library.

A row of a search tells its weights alone, and the verdict says so; its page tells the rest.
"""

from dataclasses import dataclass
from typing import Literal

from mlx_engine.amounts import format_context, format_memory
from mlx_engine.hub_messages import ModelPage, Variant
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.hub.description import describe_page, describe_variant
from mlx_engine.models.memory import memory
from mlx_engine.models.memory.machine import Machine

FitKind = Literal["fits", "weights fit", "tight", "too large", "unknown"]


@dataclass(frozen=True, slots=True)
class Fit:
    """`sentence` has the figures; `context_length` is the longest text the model takes, in tokens, 0 if unknown."""

    kind: FitKind
    sentence: str
    context_length: int = 0


def largest_weights_bytes(machine: Machine) -> int:
    """Return the size of the largest weights that fit, with no context beside them."""
    return machine.available_bytes


def fit_of_page(page: ModelPage, machine: Machine) -> Fit:
    """Return whether the model fits with its context, and the sum; without a configuration, with its weights alone."""
    model = describe_page(page)
    if not model.cache or not model.loaded_bytes:
        return _fit_of_weights(model, machine, "There is no configuration that says how much the context takes.")
    found = memory.fit(model, machine, runtime=memory.runtime_on(machine, model))
    longest = found.largest_context
    way_out = "No context leaves it small enough." if not longest else f"Up to {format_context(longest)} tokens fit."
    return Fit(found.verdict, f"{found.in_words} {way_out}", model.context_length)


def fit_of_variant(variant: Variant, machine: Machine) -> Fit:
    """Return whether the weights fit."""
    return _fit_of_weights(describe_variant(variant), machine, "The context is not counted: the page tells it.")


def _fit_of_weights(model: ModelDescription, machine: Machine, remark: str) -> Fit:
    if not model.loaded_bytes:
        return Fit("unknown", "The Hub does not say how large the weights are.", model.context_length)
    found = memory.fit(model, machine, runtime=memory.runtime_on(machine, model))
    sentence = (
        f"{format_memory(found.estimate.weights_bytes)} of weights; there are "
        f"{format_memory(machine.working_set_bytes)} ({machine.working_set_source}), of which "
        f"{format_memory(machine.reserve_bytes)} stay in reserve. {remark}"
    )
    return Fit("weights fit" if found.verdict == "fits" else found.verdict, sentence, model.context_length)
