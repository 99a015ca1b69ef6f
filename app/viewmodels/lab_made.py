"""What recipes have made of a model already, by a study or by a conversion of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.viewmodels.quantize import bare_name
from app.viewmodels.recipe_words import suffix
from mlx_engine.measure.study_file import conversion_label
from mlx_engine.models import provenance
from mlx_engine.models.description import ModelDescription
from mlx_engine.quantize.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Made:
    """Of this original, as far as names and what folders say of themselves tell."""

    original: ModelDescription

    def has(self, recipe: Recipe, kin: Sequence[ModelDescription]) -> bool:
        """Tell whether one of `kin` was made by the recipe."""
        return any(model.id in self._names(recipe) or self._says_so(model, recipe) for model in kin)

    def _names(self, recipe: Recipe) -> tuple[str, str]:
        """Return what a study calls it, and what a conversion suggests."""
        owner = self.original.id.partition("@")[0].rpartition("/")[0] or "converted"
        return conversion_label(self.original.id, recipe.name), f"{owner}/{bare_name(self.original)}-{suffix(recipe)}"

    def _says_so(self, model: ModelDescription, recipe: Recipe) -> bool:
        note = provenance.read(model.path)
        return _what_it_does(note.settings) == _what_it_does(recipe) and note.source in self._sources()

    def _sources(self) -> tuple[str, str]:
        """Return what a conversion writes down as its source: where the original is from, or else its folder."""
        return self.original.source or self.original.path.name, self.original.path.name


def _what_it_does(recipe: Recipe | Mapping[str, Any]) -> dict[str, Any]:
    """Return the recipe as JSON has it, without what it is called."""
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(recipe))
    return {name: value for name, value in fields.items() if name not in {"name", "purpose"}}
