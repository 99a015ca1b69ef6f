"""Which models of the library are the same network in other numbers, and what each says that it was made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.viewmodels.quantize.conversion_plan import bare_name
from mlx_engine.models.description import provenance
from mlx_engine.models.description.card import read_card
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.modes import is_quantized

_SAME = 0.02
"""By how much the numbers of weights of the same network may differ: what is counted of it differs by format."""


@dataclass(frozen=True, slots=True)
class RelatedModel:
    """`base` is what the model says it was made of, "" if it says nothing; `is_sure` tells whether that, or else its
    name, leads to the original. A fine-tune of the same network leads elsewhere.
    """

    model: ModelDescription
    base: str = ""
    is_sure: bool = False


def is_same_network(model: ModelDescription, original: ModelDescription) -> bool:
    """Tell whether it is the same network in other numbers, as far as its measures tell."""
    if model.id == original.id or model.format != "safetensors" or model.architecture != original.architecture:
        return False
    if model.shape.vocabulary != original.shape.vocabulary:
        return False
    return abs(model.parameters - original.parameters) <= _SAME * original.parameters


def related_models(original: ModelDescription, models: Iterable[ModelDescription]) -> list[RelatedModel]:
    """Return the same network in other numbers, the surest and largest first. Reads what lies in their folders."""
    names = _names(original)
    found = [_kin(model, original, names) for model in models if is_same_network(model, original)]
    return sorted(found, key=lambda kin: (not kin.is_sure, -kin.model.size_bytes, kin.model.id))


def best_original(originals: Sequence[ModelDescription]) -> ModelDescription | None:
    """Return the one with the most kin among the most exact; what was made of a model has the longer name."""
    exact = [model for model in originals if not is_quantized(model.bits_per_weight)] or originals
    return max(
        exact, key=lambda model: (sum(is_same_network(one, model) for one in originals), -len(model.name)), default=None
    )


def base_of(model: ModelDescription) -> str:
    """Return what the model says it was made of: what Facet has written down, or else its card; "" if neither does."""
    note = provenance.read(model.path)
    return note.source if note.settings else read_card(model.path).base_model


def _kin(model: ModelDescription, original: ModelDescription, names: frozenset[str]) -> RelatedModel:
    base = base_of(model)
    if base:
        return RelatedModel(model, base, base.casefold() in names)
    is_called_so = bare_name(original).casefold() in model.name.casefold()
    return RelatedModel(model, "", is_called_so and is_quantized(model.bits_per_weight))


def _names(original: ModelDescription) -> frozenset[str]:
    """Return by which names others know the original: with one that was made of another itself, that one's too."""
    base = base_of(original) if is_quantized(original.bits_per_weight) else ""
    names = (original.id.partition("@")[0], original.source, original.path.name, base)
    return frozenset(name.casefold() for name in names if name)
