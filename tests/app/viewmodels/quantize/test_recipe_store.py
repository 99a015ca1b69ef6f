"""The recipes that a person has made."""

from pathlib import Path

import msgspec
import pytest

from app.viewmodels.quantize.recipe_store import RecipeShelf
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Recipe


@pytest.fixture
def shelf(qapp: object, tmp_path: Path) -> RecipeShelf:
    return RecipeShelf(tmp_path / "recipes")


def own(name: str = "For the train") -> Recipe:
    return msgspec.structs.replace(recipe("balanced-4"), name=name)


def test_what_is_saved_is_there_in_the_next_run(shelf: RecipeShelf, tmp_path: Path) -> None:
    assert shelf.save(own()) == "For the train"
    assert RecipeShelf(tmp_path / "recipes").recipes == shelf.recipes == [own()]


def test_no_recipe_hides_another(shelf: RecipeShelf) -> None:
    """A name that is taken, by one of Facet's own too, gets a number."""
    assert shelf.save(own("balanced-4")) == "balanced-4 2"
    assert shelf.save(own("balanced-4")) == "balanced-4 3"
    assert shelf.duplicate("balanced-4 3") == "balanced-4 4"
    assert len(shelf.recipes) == 3


def test_a_deleted_recipe_is_gone(shelf: RecipeShelf, tmp_path: Path) -> None:
    shelf.save(own())
    shelf.delete("For the train")
    assert shelf.recipes == RecipeShelf(tmp_path / "recipes").recipes == []


def test_recipes_travel_as_files(shelf: RecipeShelf, tmp_path: Path) -> None:
    """What one gives away another brings in."""
    shelf.give_away(own(), tmp_path / "given.json")
    assert shelf.bring_in(tmp_path / "given.json") == "For the train"
    assert shelf.recipes == [own()]


def test_a_file_that_is_no_recipe_is_refused_in_words(shelf: RecipeShelf, tmp_path: Path) -> None:
    problems: list[tuple[str, str]] = []
    shelf.problem.connect(lambda *told: problems.append(told))
    (tmp_path / "bad.json").write_text('{"name": "bad", "default": {"mode": "affine", "bits": 7, "group_size": 64}}')
    assert shelf.bring_in(tmp_path / "bad.json") == ""
    assert problems[0][0] == "bad.json was not added"
    assert "2, 3, 4, 5, 6 or 8 bits" in problems[0][1]


def test_a_damaged_file_on_the_shelf_hides_no_other(shelf: RecipeShelf, tmp_path: Path) -> None:
    """It is named, and the rest is there."""
    shelf.save(own())
    (tmp_path / "recipes" / "broken.json").write_text("{")
    again, problems = RecipeShelf(tmp_path / "recipes"), []
    again.problem.connect(lambda title, _message: problems.append(title))
    assert again.recipes == [own()]
    assert problems == ["broken.json was left out"]


def test_a_disk_that_takes_nothing_is_told(shelf: RecipeShelf, tmp_path: Path) -> None:
    problems: list[str] = []
    shelf.problem.connect(lambda title, _message: problems.append(title))
    (tmp_path / "recipes").write_text("in the way")
    assert shelf.save(own()) == ""
    assert problems == ["For the train was not saved"]
