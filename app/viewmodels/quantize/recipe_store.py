"""The user's recipes: files in a folder, with import and export."""

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
from mlx_engine.quantize.recipes.user_recipes import UserRecipe, free_key, user_recipes


class RecipeStore(QObject):
    """Reads the folder on first use; `recipes` are sorted by title."""

    changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._entries: list[UserRecipe] | None = None

    @property
    def recipes(self) -> list[Recipe]:
        return [entry.recipe for entry in self._loaded()]

    def free_title(self, title: str) -> str:
        """Return `title`, with a number if another recipe has it."""
        used = {recipe.title for recipe in (*RECIPES, *self.recipes)}
        bare = re.sub(r" \d+$", "", title)
        numbered = (f"{bare} {number}" for number in itertools.count(2))
        return title if title not in used else next(title for title in numbered if title not in used)

    def save(self, recipe: Recipe, title: str) -> str:
        """Save the recipe under a free title and key; return the key, "" if it could not be saved."""
        title = self.free_title(title.strip() or "My recipe")
        saved = msgspec.structs.replace(recipe, name=free_key(title, self.recipes), title=title)
        file = self._free_file(saved.name)
        if not self._try(f"Couldn't save {title}", lambda: _write(saved, file)):
            return ""
        entries = [*self._loaded(), UserRecipe(saved, file)]
        self._entries = sorted(entries, key=lambda entry: entry.recipe.title.casefold())
        self.changed.emit()
        return saved.name

    def duplicate(self, name: str) -> str:
        """Save a copy of the recipe with the key `name`; return the copy's key."""
        recipe = self._entry(name).recipe
        return self.save(recipe, recipe.title)

    def delete(self, name: str) -> None:
        entry = self._entry(name)
        if self._try(f"Couldn't delete {entry.recipe.title}", lambda: entry.file.unlink(missing_ok=True)):
            self._loaded().remove(entry)
            self.changed.emit()

    def import_file(self, file: Path) -> str:
        """Save the recipe in `file`; return its key, "" if it cannot be used."""
        try:
            recipe = read_recipe(file)
        except FacetError as error:
            self.problem.emit(f"Couldn't import {file.name}", error.message)
            return ""
        return self.save(recipe, recipe.title)

    def export(self, recipe: Recipe, file: Path) -> None:
        """Write the recipe to `file`."""
        self._try(f"Couldn't export {recipe.title}", lambda: _write(recipe, file))

    def _free_file(self, key: str) -> Path:
        stems = itertools.chain([key], (f"{key}-{number}" for number in itertools.count(2)))
        return next(file for stem in stems if not (file := self._folder / f"{stem}.json").exists())

    def _entry(self, name: str) -> UserRecipe:
        return next(entry for entry in self._loaded() if entry.recipe.name == name)

    def _loaded(self) -> list[UserRecipe]:
        if self._entries is None:
            folder = user_recipes(self._folder)
            self._entries = list(folder.recipes)
            for file, message in folder.problems.items():
                self.problem.emit(f"Couldn't read {file.name}", message)
        return self._entries

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
