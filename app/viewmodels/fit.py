"""Whether weights fit this machine, as a sum that can be shown.

For models of which no more is known than the size of their weights: on the Hub, before the download. With the
configuration at hand, `mlx_engine.models.memory` knows better.
"""

from dataclasses import dataclass
from typing import Literal

from app.viewmodels.amounts import bytes_in_words
from mlx_engine.models.machine import Machine

FitKind = Literal["fits", "tight", "too large", "unknown"]

_OVERHEAD = 1.1
_CONVERSATION_BYTES = 400_000_000
"""A conversation of some pages, beside a tenth of the weights for working space."""


@dataclass(frozen=True, slots=True)
class Fit:
    """`sentence` has the figures."""

    kind: FitKind
    sentence: str


def largest_weights_bytes(machine: Machine) -> int:
    """Return the size of the largest weights that fit."""
    return round((machine.available_bytes - _CONVERSATION_BYTES) / _OVERHEAD)


def fit(weights_bytes: int, machine: Machine) -> Fit:
    """Return whether weights of that size fit, and why; 0 is an unknown size."""
    if not weights_bytes:
        return Fit("unknown", "The Hub does not say how large the weights are.")
    needed = round(weights_bytes * _OVERHEAD) + _CONVERSATION_BYTES
    sentence = (
        f"{bytes_in_words(weights_bytes)} of weights and about {bytes_in_words(needed - weights_bytes)} to work with; "
        f"there are {bytes_in_words(machine.working_set_bytes)} ({machine.working_set_source}), of which "
        f"{bytes_in_words(machine.reserve_bytes)} stay in reserve."
    )
    if needed > machine.working_set_bytes:
        return Fit("too large", sentence)
    return Fit("tight" if needed > machine.available_bytes else "fits", sentence)
