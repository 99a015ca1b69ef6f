"""Conversions of a model that already exist, and the recipes that made them, by the provenance in their folders."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlx_engine.errors import InvalidRecipe
from mlx_engine.models.description import provenance
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.quantize.recipes.recipe import Recipe


def recipe_of(folder: Path) -> Recipe | None:
    """Return the recipe of the model in `folder` without its name, None if it is unknown."""
    return _recipe(provenance.read(folder))


def recipes_used(original: ModelDescription, conversions: Iterable[ModelDescription]) -> list[Recipe]:
    """Return the recipes, without their names, of those `conversions` that were made from `original`."""
    # A conversion records the source of the original, or else its folder name.
    sources = (original.source or original.path.name, original.path.name)
    notes = (provenance.read(model.path) for model in conversions)
    return [recipe for note in notes if note.source in sources and (recipe := _recipe(note))]


def _recipe(note: Provenance) -> Recipe | None:
    try:
        return msgspec.convert(note.settings, Recipe).unnamed if note.settings else None
    except (msgspec.ValidationError, InvalidRecipe):
        # From another version of Facet or another tool.
        return None
