"""Size classes of models by their nominal number of parameters: a "14B" may have 13.96 billion."""

from typing import Literal

SizeClass = Literal["nano", "micro", "small", "medium", "large"]

# A model belongs to the first class with a larger bound. The bounds are where the rounded name changes.
_bounds: tuple[tuple[float, SizeClass], ...] = (
    (100e6, "nano"),
    (1.45e9, "micro"),
    (13.95e9, "small"),
    (31e9, "medium"),
)


def size_class(parameters: int) -> SizeClass:
    """Return nano below 100M, micro up to 1.4B, small up to 13.9B, medium up to 30B (that is, below 31), else large."""
    return next((name for bound, name in _bounds if parameters < bound), "large")
