"""The recipes as cards: in groups, each with the exact forecast for one model on one machine."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.viewmodels.formatting.recipe import title
from mlx_engine.errors import InvalidRecipe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit, runtime_on
from mlx_engine.quantize.plan.forecast import Forecast, forecast
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Recipe

OWN = "Your own"
OTHER_GROUPS = "Other group sizes"
_groups: Mapping[str, str] = {
    "Everyday": r"balanced-[45]|affine-[45]-g64",
    "Closest to the original": r"balanced-6|lossless|affine-[68]-g64|bf16|f16|f32",
    "Smallest": r"balanced-[23]|affine-[23]-g64",
    "Micro-scaling": r"mxfp8|nvfp4|mxfp4",
    "As mlx-lm mixes": r"mixed_.*",
    OTHER_GROUPS: r".*",
}
"""Which names belong to which group: the first that matches."""
_first_group = next(iter(_groups))


@dataclass(frozen=True, slots=True)
class Figures:
    """What a recipe makes of the model: exactly how large, and whether that fits at a context."""

    forecast: Forecast
    fit: Fit


@dataclass(frozen=True, slots=True)
class RecipeCard:
    """`problem` is why the recipe is not for this model; then there are no figures."""

    recipe: Recipe
    title: str
    group: str
    figures: Figures | None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def is_own(self) -> bool:
        return self.group == OWN


@dataclass(frozen=True, slots=True)
class Reckoner:
    """Reckons for one model on one machine; `context` is in tokens."""

    model: ModelDescription
    outline: Outline
    machine: Machine
    context: int

    def figures(self, recipe: Recipe) -> Figures:
        """Say what the recipe gives.

        Raises:
            InvalidRecipe: it is not for this model.
        """
        found = forecast(self.outline, recipe)
        result = found.describe(self.model)
        context = min(self.context, self.model.context_length or self.context)
        return Figures(found, fit(result, self.machine, context=context, runtime=runtime_on(self.machine, result)))

    def card(self, recipe: Recipe, group: str = "") -> RecipeCard:
        group = group or self._group_of(recipe)
        try:
            return RecipeCard(recipe, title(recipe), group, self.figures(recipe))
        except InvalidRecipe as error:
            return RecipeCard(recipe, title(recipe), group, None, error.message)

    def _group_of(self, recipe: Recipe) -> str:
        """What is quantized already is best left as it is: that recipe stands before all others then."""
        return _first_group if recipe.name == "lossless" and self.outline.quantization else group_of(recipe)

    def cards(self, own: Iterable[Recipe]) -> list[RecipeCard]:
        """Return a card for each recipe: the person's own last but the rare ones."""
        brought = [self.card(recipe) for recipe in RECIPES]
        return in_order([*brought, *(self.card(recipe, OWN) for recipe in own)])


def group_of(recipe: Recipe) -> str:
    """Return to which group the recipe belongs."""
    return next(group for group, names in _groups.items() if re.fullmatch(names, recipe.name))


def in_order(cards: Sequence[RecipeCard]) -> list[RecipeCard]:
    """Return the cards group by group."""
    *usual, rare = _groups
    order = [*usual, OWN, rare]
    return sorted(cards, key=lambda card: (order.index(card.group), card.name != "lossless"))


def kept_in_words(found: Forecast) -> list[tuple[str, str]]:
    """Return what stays in floating point, and why, as pairs: "model.norm", or how many of a sort, and the reason."""
    counts = Counter(reason for _, reason in found.kept)
    pairs = []
    for reason, count in counts.most_common():
        first = next(path for path, why in found.kept if why == reason)
        each = "each " if count > 1 and reason.startswith("a ") else ""
        pairs.append((first if count == 1 else f"{count} tensors", f"{each}{reason}"))
    pairs += [(dropped.prefix, f"dropped: {dropped.reason}") for dropped in found.dropped]
    return pairs
