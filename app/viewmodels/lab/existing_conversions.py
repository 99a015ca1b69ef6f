"""What recipes have made of a model already, by a study or by a conversion of its own, as folders say of themselves."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlx_engine.errors import InvalidRecipe
from mlx_engine.models.description import provenance
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.quantize.recipes.recipe import Recipe


def recipe_of(folder: Path) -> Recipe | None:
    """Return the recipe that made the model in `folder`, without its name; None if that is not known."""
    return _recipe(provenance.read(folder))


def recipes_used(original: ModelDescription, kin: Iterable[ModelDescription]) -> list[Recipe]:
    """Return the recipes, without their names, that made one of `kin` of this original."""
    # A conversion writes down as its source where the original is from, or else its folder.
    sources = (original.source or original.path.name, original.path.name)
    notes = (provenance.read(model.path) for model in kin)
    return [recipe for note in notes if note.source in sources and (recipe := _recipe(note))]


def _recipe(note: Provenance) -> Recipe | None:
    try:
        return msgspec.convert(note.settings, Recipe).unnamed if note.settings else None
    except (msgspec.ValidationError, InvalidRecipe):
        # Of another version of Facet, or written by somebody else.
        return None
