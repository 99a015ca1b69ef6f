"""Which models of the library are the same network in other numbers."""

from collections.abc import Sequence

from mlx_engine.models.description import ModelDescription

_SAME = 0.02
"""By how much the numbers of weights of the same network may differ: what is counted of it differs by format."""


def is_kin(model: ModelDescription, original: ModelDescription) -> bool:
    """Tell whether it is the same network in other numbers, as far as names and sizes tell."""
    if model.id == original.id or model.format != "safetensors" or model.architecture != original.architecture:
        return False
    return abs(model.parameters - original.parameters) <= _SAME * original.parameters


def likeliest(originals: Sequence[ModelDescription]) -> ModelDescription | None:
    """Return the one with the most kin among the most exact; what was made of a model has the longer name."""
    exact = [model for model in originals if model.bits_per_weight >= 15] or originals
    return max(exact, key=lambda model: (sum(is_kin(one, model) for one in originals), -len(model.name)), default=None)
