"""The recipes that a person has made: files in a folder, which can be brought in and given away."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from mlx_engine.errors import FacetError
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.recipe_file import read_recipe, write_recipe


class RecipeShelf(QObject):
    """Reads the folder at its first use; `recipes` are in the order of their names."""

    changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._known: dict[str, tuple[Path, Recipe]] | None = None

    @property
    def recipes(self) -> list[Recipe]:
        return [recipe for _, recipe in self._by_name().values()]

    def free_name(self, wanted: str) -> str:
        """Return the name itself, or with a number if it is taken."""
        taken = {*self._by_name(), *(recipe.name for recipe in RECIPES)}
        bare = re.sub(r" \d+$", "", wanted)
        numbered = (f"{bare} {number}" for number in itertools.count(2))
        return wanted if wanted not in taken else next(name for name in numbered if name not in taken)

    def save(self, recipe: Recipe) -> str:
        """Keep the recipe, under a free name; return the name, "" if the disk refuses."""
        kept = msgspec.structs.replace(recipe, name=self.free_name(recipe.name.strip() or "My recipe"))
        file = self._folder / f"{_file_name(kept.name)}.json"
        if not self._try(f"{kept.name} was not saved", lambda: _write(kept, file)):
            return ""
        self._by_name()[kept.name] = file, kept
        self._sort()
        return kept.name

    def duplicate(self, name: str) -> str:
        """Keep a copy; return its name."""
        return self.save(self._by_name()[name][1])

    def delete(self, name: str) -> None:
        file, _ = self._by_name()[name]
        if self._try(f"{name} was not deleted", lambda: file.unlink(missing_ok=True)):
            del self._by_name()[name]
            self.changed.emit()

    def bring_in(self, file: Path) -> str:
        """Keep the recipe in the file; return its name, "" if there is none that can be used."""
        try:
            return self.save(read_recipe(file))
        except FacetError as error:
            self.problem.emit(f"{file.name} was not added", error.message)
            return ""

    def give_away(self, recipe: Recipe, file: Path) -> None:
        """Write the recipe into the file."""
        self._try(f"{recipe.name} was not written", lambda: _write(recipe, file))

    def _by_name(self) -> dict[str, tuple[Path, Recipe]]:
        if self._known is None:
            self._known = {}
            for file in sorted(self._folder.glob("*.json")):
                try:
                    recipe = read_recipe(file)
                except FacetError as error:
                    self.problem.emit(f"{file.name} was left out", error.message)
                else:
                    self._known[recipe.name] = file, recipe
            self._sort(tell=False)
        return self._known

    def _sort(self, *, tell: bool = True) -> None:
        if self._known is not None:
            self._known = dict(sorted(self._known.items(), key=lambda entry: entry[0].casefold()))
        if tell:
            self.changed.emit()

    def _try(self, title: str, act: Callable[[], None]) -> bool:
        try:
            with storage_errors(self._folder):
                act()
        except FacetError as error:
            self.problem.emit(title, error.message)
            return False
        return True


def _write(recipe: Recipe, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_recipe(recipe, file)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "recipe"
