"""Whether a model can keep the context in fewer bits than 16, and if not, why.

mlx-lm 0.32 quantizes only layers that keep every token as keys and values, and only where its common attention reads
them. The engine tries it out before the first answer (`inference.layers`); this says it without loading anything.
"""

from mlx_engine.models.description.description import ModelDescription

GROUPS = (64, 32)
"""Numbers that share a scale, the preferred one first."""

_reasons = {
    "window": "Some layers of this model look back over a sliding window, which is kept in 16 bits.",
    "state": "Some layers of this model keep a state in place of the text, which cannot be kept in fewer bits.",
    "latent": "This model keeps the text compressed already, and cannot keep that in fewer bits.",
}
_own_attention = frozenset({"gemma2"})
"""Their module in mlx-lm has an attention of its own, which reads numbers of 16 bits."""


def group(width: int) -> int:
    """Return into groups of how many numbers keys of that width are cut; 0 if into none."""
    return next((size for size in GROUPS if width and width % size == 0), 0)


def obstacle(model: ModelDescription) -> str:
    """Return why `model` keeps its context in 16 bits only, in a sentence; "" if it can do with fewer."""
    for layers in model.cache:
        if layers.kind in _reasons:
            return _reasons[layers.kind]
    if model.architecture in _own_attention:
        return "The way in which this model reads its context needs 16 bits."
    if not group(model.shape.head):
        width = f"{model.shape.head} numbers" if model.shape.head else "of unknown width"
        return f"The keys of this model's attention are {width}, which cannot be cut into groups of 32."
    return ""
