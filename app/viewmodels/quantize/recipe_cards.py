"""Recipe cards: the recipes in groups, each with an exact forecast for one model on this Mac."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlx_engine.errors import InvalidRecipe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit
from mlx_engine.modes import MODES
from mlx_engine.quantize.plan.forecast import ConversionForecast, forecast
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Recipe

USER_RECIPES = "Your recipes"
EVERYDAY, CLOSEST, SMALLEST = "Everyday", "Closest to the original", "Smallest"
MICROSCALING = "Microscaling formats"
MLX_LM = "mlx-lm's mixtures"
OTHER_GROUPS = "Other group sizes"
_ORDER = (EVERYDAY, CLOSEST, SMALLEST, MICROSCALING, MLX_LM, USER_RECIPES, OTHER_GROUPS)
_KEYS: Mapping[str, str] = {
    EVERYDAY: r"balanced-[45]bit|[45]bit",
    CLOSEST: r"balanced-6bit|lossless|[68]bit|bf16|fp16|fp32",
    SMALLEST: r"balanced-[23]bit|[23]bit",
    MLX_LM: r"mixed_.*",
}
"""Patterns of recipe keys by group."""


@dataclass(frozen=True, slots=True)
class RecipeForecast:
    """The result of a recipe for one model: the exact size of its weights, and its memory at a context."""

    conversion: ConversionForecast
    memory: Fit


@dataclass(frozen=True, slots=True)
class RecipeCard:
    """A recipe for one model; without a forecast, `problem` is the reason that it does not suit the model."""

    recipe: Recipe
    group: str
    forecast: RecipeForecast | None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def title(self) -> str:
        return self.recipe.title

    @property
    def is_users(self) -> bool:
        return self.group == USER_RECIPES


@dataclass(frozen=True, slots=True)
class RecipeForecaster:
    """Forecasts recipes for one model on one machine; `context` is in tokens."""

    model: ModelDescription
    outline: Outline
    machine: Machine
    context: int

    def forecast(self, recipe: Recipe) -> RecipeForecast:
        """Return the forecast for `recipe`.

        Raises:
            InvalidRecipe: the recipe does not suit the model.
        """
        conversion = forecast(self.outline, recipe)
        result = conversion.describe(self.model)
        context = min(self.context, self.model.context_length or self.context)
        return RecipeForecast(conversion, fit(result, self.machine, context=context))

    def card(self, recipe: Recipe, group: str = "") -> RecipeCard:
        group = group or self._group_of(recipe)
        try:
            return RecipeCard(recipe, group, self.forecast(recipe))
        except InvalidRecipe as error:
            return RecipeCard(recipe, group, None, error.message)

    def cards(self, user_recipes: Iterable[Recipe]) -> list[RecipeCard]:
        """Return a card for each built-in recipe and each of the user's, group by group."""
        cards = [*map(self.card, RECIPES), *(self.card(recipe, USER_RECIPES) for recipe in user_recipes)]
        return _in_order(cards)

    def _group_of(self, recipe: Recipe) -> str:
        """Put "Lossless" first for a model that is already quantized: it is the best choice there."""
        return EVERYDAY if recipe.name == "lossless" and self.outline.quantization else group_of(recipe)


def group_of(recipe: Recipe) -> str:
    """Return the group of a built-in recipe."""
    if recipe.name in MODES:
        return MICROSCALING
    return next((group for group, keys in _KEYS.items() if re.fullmatch(keys, recipe.name)), OTHER_GROUPS)


def _in_order(cards: Sequence[RecipeCard]) -> list[RecipeCard]:
    return sorted(cards, key=lambda card: (_ORDER.index(card.group), card.name != "lossless"))


def unquantized_tensors(conversion: ConversionForecast) -> list[tuple[str, str]]:
    """Return pairs of a tensor, or a number of tensors, and the reason that it stays in floating point."""
    counts = Counter(reason for _, reason in conversion.unquantized)
    pairs = []
    for reason, count in counts.most_common():
        first = next(path for path, of_path in conversion.unquantized if of_path == reason)
        each = "each " if count > 1 and reason.startswith("a ") else ""
        pairs.append((first if count == 1 else f"{count} tensors", f"{each}{reason}"))
    pairs += [(dropped.prefix, f"dropped: {dropped.reason}") for dropped in conversion.dropped]
    return pairs
