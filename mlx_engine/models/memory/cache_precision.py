"""Support for a KV cache in fewer than 16 bits, or the reason that a model doesn't have it.

mlx-lm 0.32 quantizes only layers that cache keys and values of every token, and only with its common attention. The
engine tries it before the first answer (`inference.layers`); this module answers without loading the model.
"""

from mlx_engine.models.description.description import ModelDescription

GROUPS = (64, 32)
"""Group sizes, the preferred one first."""

_reasons = {
    "window": "Some layers of this model use a sliding window, which is cached in 16 bits.",
    "state": "Some layers of this model cache a state instead of the tokens, which is always in 16 bits.",
    "latent": "This model already compresses its KV cache, and can't use fewer bits.",
}
_separate_attention = frozenset({"gemma2"})
"""Architectures whose module in mlx-lm has its own attention, for 16 bits only."""


def group(width: int) -> int:
    """Return the group size for keys of `width` numbers; 0 if they can't be divided into groups."""
    return next((size for size in GROUPS if width and width % size == 0), 0)


def obstacle(model: ModelDescription) -> str:
    """Return the reason that `model` needs a 16-bit KV cache; "" if it can use fewer bits."""
    for layers in model.cache:
        if layers.kind in _reasons:
            return _reasons[layers.kind]
    if model.architecture in _separate_attention:
        return "The attention of this model needs a 16-bit KV cache."
    if not group(model.shape.head):
        width = f"{model.shape.head} numbers wide" if model.shape.head else "of unknown width"
        return f"The keys of this model are {width}, and can't be divided into groups of 32."
    return ""
