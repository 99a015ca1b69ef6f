"""Editor for a recipe, matrix by matrix, with undo and redo.

A change of a whole column becomes a rule, so that the recipe is useful for other models too; other changes are stored
for the individual matrices.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec
from PySide6.QtCore import QObject, Signal

from app.viewmodels.quantize.recipe_map import RecipeMap, recipe_map
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.recipe import Recipe, Rule, Treatment


class RecipeEditor(QObject):
    """`origin` is the recipe before all changes; `map` is that of the current recipe."""

    changed = Signal()

    def __init__(self, outline: Outline, recipe: Recipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.outline, self.origin = outline, recipe
        self._steps = [recipe]
        self._index = 0
        self.map = self._map_of(recipe)

    @property
    def recipe(self) -> Recipe:
        return self._steps[self._index]

    @property
    def can_undo(self) -> bool:
        return self._index > 0

    @property
    def can_redo(self) -> bool:
        return self._index + 1 < len(self._steps)

    def undo(self) -> None:
        if self.can_undo:
            self._go_to(self._index - 1)

    def redo(self) -> None:
        if self.can_redo:
            self._go_to(self._index + 1)

    def set_treatment(self, paths: Iterable[str], treatment: Treatment | Literal["as the recipe"]) -> None:
        """Set the treatment of the matrices, or reset them to that of the original recipe."""
        selected = set(paths)
        if treatment == "as the recipe":
            self._add_step(self._as_origin(selected))
            return
        explicit = self._with_tensors(self.recipe, selected, treatment)
        target = self._map_of(explicit)
        candidates = (self._for_all(selected, treatment), self._for_column(selected, treatment))
        self._add_step(next((recipe for recipe in candidates if recipe and self._map_of(recipe) == target), explicit))

    def _add_step(self, recipe: Recipe) -> None:
        if recipe != self.recipe:
            del self._steps[self._index + 1 :]
            self._steps.append(recipe)
            self._go_to(self._index + 1)

    def _go_to(self, index: int) -> None:
        self._index = index
        self.map = self._map_of(self.recipe)
        self.changed.emit()

    def _map_of(self, recipe: Recipe) -> RecipeMap:
        return recipe_map(layout(self.outline, recipe))

    def _with_tensors(self, recipe: Recipe, paths: set[str], treatment: Treatment) -> Recipe:
        treatments = {path: treatment for path in self.map.by_path if path in paths}
        return msgspec.structs.replace(recipe, tensors=recipe.tensors | treatments)

    def _as_origin(self, paths: set[str]) -> Recipe:
        """Return the recipe with these matrices as in the original: without entries for them, or with explicit ones."""
        others = {path: treatment for path, treatment in self.recipe.tensors.items() if path not in paths}
        original = {path: treatment for path, treatment in self.origin.tensors.items() if path in paths}
        reset = msgspec.structs.replace(self.recipe, tensors=others | original)
        before, after = self._map_of(self.origin).by_path, self._map_of(reset).by_path
        explicit = {path: before[path].format or "keep" for path in paths if before[path] != after[path]}
        return msgspec.structs.replace(reset, tensors=reset.tensors | explicit)

    def _for_all(self, paths: set[str], treatment: Treatment) -> Recipe | None:
        """Return the recipe with this treatment for every matrix, if `paths` are all of them."""
        if paths != set(self.map.by_path):
            return None
        return msgspec.structs.replace(self.recipe, default=treatment, rules=(), tensors={})

    def _for_column(self, paths: set[str], treatment: Treatment) -> Recipe | None:
        """Return the recipe with a rule for a kind of matrix, if `paths` are all of that kind."""
        for kind in self.map.kinds:
            if paths == {row.cells[kind].path for row in self.map.rows if kind in row.cells}:
                tensors = {path: entry for path, entry in self.recipe.tensors.items() if path not in paths}
                others = (rule for rule in self.recipe.rules if (rule.kinds, rule.layers) != ((kind,), "all"))
                rules = (Rule(kinds=(kind,), treatment=treatment), *others)
                return msgspec.structs.replace(self.recipe, rules=rules, tensors=tensors)
        return None
