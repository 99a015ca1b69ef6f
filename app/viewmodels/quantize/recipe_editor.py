"""A recipe while it is being changed, matrix by matrix, with every step taken back and again.

A change of a whole column is kept as a rule, so that the recipe is of use for other models too; any other is kept as
what becomes of these very matrices.
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
    """`origin` is the recipe that the person began with; `map` is what the present one makes of the network."""

    changed = Signal()

    def __init__(self, outline: Outline, recipe: Recipe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.outline, self.origin = outline, recipe
        self._steps = [recipe]
        self._place = 0
        self.map = self._map_of(recipe)

    @property
    def recipe(self) -> Recipe:
        return self._steps[self._place]

    @property
    def can_undo(self) -> bool:
        return self._place > 0

    @property
    def can_redo(self) -> bool:
        return self._place + 1 < len(self._steps)

    def undo(self) -> None:
        if self.can_undo:
            self._go(self._place - 1)

    def redo(self) -> None:
        if self.can_redo:
            self._go(self._place + 1)

    def set_treatment(self, paths: Iterable[str], treatment: Treatment | Literal["as the recipe"]) -> None:
        """Let this become of the matrices, or what the recipe that was begun with says."""
        chosen = set(paths)
        if treatment == "as the recipe":
            self._take(self._as_origin(chosen))
            return
        explicit = self._with_tensors(self.recipe, chosen, treatment)
        wanted = self._map_of(explicit)
        candidates = (self._for_all(chosen, treatment), self._for_column(chosen, treatment))
        general = next((one for one in candidates if one and self._map_of(one) == wanted), explicit)
        self._take(general)

    def _take(self, recipe: Recipe) -> None:
        if recipe != self.recipe:
            del self._steps[self._place + 1 :]
            self._steps.append(recipe)
            self._go(self._place + 1)

    def _go(self, place: int) -> None:
        self._place = place
        self.map = self._map_of(self.recipe)
        self.changed.emit()

    def _map_of(self, recipe: Recipe) -> RecipeMap:
        return recipe_map(layout(self.outline, recipe))

    def _with_tensors(self, recipe: Recipe, paths: set[str], treatment: Treatment) -> Recipe:
        said = {path: treatment for path in self.map.by_path if path in paths}
        return msgspec.structs.replace(recipe, tensors=recipe.tensors | said)

    def _as_origin(self, paths: set[str]) -> Recipe:
        """Return the recipe with these matrices as in the beginning: without what was said of them, or by saying it."""
        rest = {path: said for path, said in self.recipe.tensors.items() if path not in paths}
        given = {path: said for path, said in self.origin.tensors.items() if path in paths}
        plain = msgspec.structs.replace(self.recipe, tensors=rest | given)
        before, now = self._map_of(self.origin), self._map_of(plain)
        said = {
            path: before.by_path[path].format or "keep" for path in paths if before.by_path[path] != now.by_path[path]
        }
        return msgspec.structs.replace(plain, tensors=plain.tensors | said)

    def _for_all(self, paths: set[str], treatment: Treatment) -> Recipe | None:
        """Return the recipe that says this of every matrix, where these are all."""
        if paths != set(self.map.by_path):
            return None
        return msgspec.structs.replace(self.recipe, default=treatment, rules=(), tensors={})

    def _for_column(self, paths: set[str], treatment: Treatment) -> Recipe | None:
        """Return the recipe with a rule for a kind of matrix, where these are all of the kind."""
        for kind in self.map.kinds:
            if paths == {row.cells[kind].path for row in self.map.rows if kind in row.cells}:
                rest = {path: said for path, said in self.recipe.tensors.items() if path not in paths}
                others = (rule for rule in self.recipe.rules if (rule.kinds, rule.layers) != ((kind,), "all"))
                rules = (Rule(kinds=(kind,), treatment=treatment), *others)
                return msgspec.structs.replace(self.recipe, rules=rules, tensors=rest)
        return None
