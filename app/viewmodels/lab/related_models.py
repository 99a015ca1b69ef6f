"""Finds models in the library that are conversions of the same network, and the model that each was made from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.viewmodels.quantize.conversion_plan import bare_name
from mlx_engine.models.description import provenance
from mlx_engine.models.description.card import read_card
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.modes import is_quantized

_TOLERANCE = 0.02
"""Relative difference in the number of weights between formats of one network, which do not count the same tensors."""


@dataclass(frozen=True, slots=True)
class RelatedModel:
    """A model with the network of the original; `base` is the model that it was made from, "" if unknown.

    It `is_confirmed` if its base, or else its name, is that of the original. A fine-tune has another base.
    """

    model: ModelDescription
    base: str = ""
    is_confirmed: bool = False


def is_same_network(model: ModelDescription, original: ModelDescription) -> bool:
    """Return True if both have the same architecture, vocabulary and about as many weights."""
    if model.id == original.id or model.format != "safetensors" or model.architecture != original.architecture:
        return False
    if model.shape.vocabulary != original.shape.vocabulary:
        return False
    return abs(model.parameters - original.parameters) <= _TOLERANCE * original.parameters


def related_models(original: ModelDescription, models: Iterable[ModelDescription]) -> list[RelatedModel]:
    """Return the models with the network of `original`, confirmed and large ones first. Reads their provenance."""
    names = _names(original)
    related = [_relate(model, original, names) for model in models if is_same_network(model, original)]
    return sorted(related, key=lambda entry: (not entry.is_confirmed, -entry.model.size_bytes, entry.model.id))


def best_original(originals: Sequence[ModelDescription]) -> ModelDescription | None:
    """Return the unquantized model with the most related models; of equals the shortest name, since conversions add
    to it.
    """

    def rank(original: ModelDescription) -> tuple[int, int]:
        return sum(is_same_network(model, original) for model in originals), -len(original.name)

    unquantized = [model for model in originals if not is_quantized(model.bits_per_weight)]
    return max(unquantized or originals, key=rank, default=None)


def base_of(model: ModelDescription) -> str:
    """Return the model that `model` was made from, by its provenance or else its card; "" if neither has it."""
    note = provenance.read(model.path)
    return note.source if note.settings else read_card(model.path).base_model


def _relate(model: ModelDescription, original: ModelDescription, names: frozenset[str]) -> RelatedModel:
    base = base_of(model)
    if base:
        return RelatedModel(model, base, base.casefold() in names)
    has_name = bare_name(original).casefold() in model.name.casefold()
    return RelatedModel(model, "", has_name and is_quantized(model.bits_per_weight))


def _names(original: ModelDescription) -> frozenset[str]:
    """Return the names by which conversions refer to the original; if it is quantized, also those of its base."""
    base = base_of(original) if is_quantized(original.bits_per_weight) else ""
    names = (original.id.partition("@")[0], original.source, original.path.name, base)
    return frozenset(name.casefold() for name in names if name)
