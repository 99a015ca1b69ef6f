"""Saving the user's recipes."""

from pathlib import Path

import pytest

from app.viewmodels.quantize.recipe_store import RecipeStore
from mlx_engine.quantize.recipes.builtin import recipe

BALANCED = recipe("balanced-4bit")


@pytest.fixture
def store(qapp: object, tmp_path: Path) -> RecipeStore:
    return RecipeStore(tmp_path / "recipes")


def titles(store: RecipeStore) -> list[tuple[str, str]]:
    return [(recipe.name, recipe.title) for recipe in store.recipes]


def test_a_saved_recipe_is_available_after_a_restart(store: RecipeStore, tmp_path: Path) -> None:
    assert store.save(BALANCED, "For the train") == "For-the-train"
    assert RecipeStore(tmp_path / "recipes").recipes == store.recipes
    assert store.recipes[0].unnamed == BALANCED.unnamed
    assert titles(store) == [("For-the-train", "For the train")]


def test_a_title_in_use_gets_a_number(store: RecipeStore) -> None:
    """Titles of built-in recipes count too."""
    assert store.save(BALANCED, "Balanced 4-bit") == "Balanced-4-bit-2"
    assert store.save(BALANCED, "Balanced 4-bit") == "Balanced-4-bit-3"
    assert store.duplicate("Balanced-4-bit-3") == "Balanced-4-bit-4"
    assert [title for _, title in titles(store)] == ["Balanced 4-bit 2", "Balanced 4-bit 3", "Balanced 4-bit 4"]


def test_a_recipe_overwrites_no_other_file(store: RecipeStore, tmp_path: Path) -> None:
    """The name of a file is independent of the title of its recipe."""
    store.export(BALANCED, tmp_path / "recipes" / "Mine.json")
    assert store.save(recipe("5bit"), "Mine") == "Mine"
    assert len(RecipeStore(tmp_path / "recipes").recipes) == 2


def test_a_deleted_recipe_is_gone(store: RecipeStore, tmp_path: Path) -> None:
    store.delete(store.save(BALANCED, "For the train"))
    assert store.recipes == RecipeStore(tmp_path / "recipes").recipes == []


def test_an_exported_recipe_can_be_imported(store: RecipeStore, tmp_path: Path) -> None:
    store.save(BALANCED, "For the train")
    store.export(store.recipes[0], tmp_path / "exported.json")
    store.delete("For-the-train")
    assert store.import_file(tmp_path / "exported.json") == "For-the-train"
    assert titles(store) == [("For-the-train", "For the train")]


def test_importing_an_invalid_file_reports_the_reason(store: RecipeStore, tmp_path: Path) -> None:
    problems: list[tuple[str, str]] = []
    store.problem.connect(lambda *problem: problems.append(problem))
    (tmp_path / "bad.json").write_text('{"name": "bad", "default": {"mode": "affine", "bits": 7, "group_size": 64}}')
    assert store.import_file(tmp_path / "bad.json") == ""
    assert problems[0][0] == "Couldn't import bad.json"
    assert "2, 3, 4, 5, 6 or 8 bits" in problems[0][1]


def test_a_damaged_file_hides_no_other(store: RecipeStore, tmp_path: Path) -> None:
    store.save(BALANCED, "For the train")
    (tmp_path / "recipes" / "broken.json").write_text("{")
    restarted, problems = RecipeStore(tmp_path / "recipes"), []
    restarted.problem.connect(lambda title, _message: problems.append(title))
    assert restarted.recipes == store.recipes
    assert problems == ["Couldn't read broken.json"]


def test_a_write_error_is_reported(store: RecipeStore, tmp_path: Path) -> None:
    problems: list[str] = []
    store.problem.connect(lambda title, _message: problems.append(title))
    (tmp_path / "recipes").write_text("in the way")
    assert store.save(BALANCED, "For the train") == ""
    assert problems == ["Couldn't save For the train"]
