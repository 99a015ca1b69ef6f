"""Compares a model on the Hub with this Mac, by the same sum as a model in the library.

A search result states the size of the weights only; the model's page has the rest.
"""

from dataclasses import dataclass
from typing import Literal

from mlx_engine.amounts import format_context
from mlx_engine.hub_messages import ModelPage, Variant
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.hub.description import describe_page, describe_variant
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, Verdict, fit

HubVerdict = Verdict | Literal["weights fit", "unknown"]


@dataclass(frozen=True, slots=True)
class HubFit:
    """`memory` is None if the Hub doesn't state the size; `context_length` is in tokens, 0 if unknown."""

    memory: Fit | None
    remark: str
    context_length: int
    is_weights_only: bool = False

    @property
    def verdict(self) -> HubVerdict:
        if self.memory is None:
            return "unknown"
        return "weights fit" if self.is_weights_only and self.memory.verdict == "fits" else self.memory.verdict

    @property
    def explanation(self) -> str:
        if self.memory is None:
            return self.remark
        summary = self.memory.weights_summary if self.is_weights_only else self.memory.summary
        return f"{summary} {self.remark}"


def largest_weights_bytes(machine: Machine) -> int:
    """Return the size of the largest weights that fit, without any context."""
    return machine.available_bytes


def fit_of_page(page: ModelPage, machine: Machine) -> HubFit:
    """Compare the model including its context; without a configuration, compare its weights."""
    model = describe_page(page)
    if not model.cache or not model.loaded_bytes:
        return _fit_of_weights(model, machine, "Context not included: the model has no configuration.")
    memory = fit(model, machine)
    longest = memory.largest_context
    limit = f"Up to {format_context(longest)} tokens fit." if longest else "It doesn't fit with any context."
    return HubFit(memory, limit, model.context_length)


def fit_of_variant(variant: Variant, machine: Machine) -> HubFit:
    """Compare the weights."""
    return _fit_of_weights(describe_variant(variant), machine, "Context not included; see the model's page.")


def _fit_of_weights(model: ModelDescription, machine: Machine, remark: str) -> HubFit:
    if not model.loaded_bytes:
        return HubFit(None, "The Hub doesn't state the size of the weights.", model.context_length)
    return HubFit(fit(model, machine), remark, model.context_length, is_weights_only=True)
