"""Finding the user's recipes."""

from pathlib import Path

import msgspec
import pytest

from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe_file import write_recipe
from mlx_engine.quantize.recipes.user_recipes import folder_name, user_recipes


def _save(name: str, like: str, folder: Path, file: str) -> None:
    write_recipe(msgspec.structs.replace(builtin.recipe(like), name=name, title=""), folder / f"{file}.json")


def test_each_recipe_has_a_unique_key_that_is_a_valid_folder_name(tmp_path: Path) -> None:
    """A key in use, by a built-in recipe too, gets a number. The name in the file becomes the title."""
    _save("balanced-4bit", "balanced-5bit", tmp_path, "a")
    _save("My best / try", "balanced-6bit", tmp_path, "b")
    _save("my-best-try", "balanced-4bit", tmp_path, "c")
    _save("私の", "balanced-4bit", tmp_path, "d")
    recipes = [entry.recipe for entry in user_recipes(tmp_path).recipes]
    assert [(recipe.title, recipe.name) for recipe in recipes] == [
        ("balanced-4bit", "balanced-4bit-2"),
        ("My best / try", "My-best-try"),
        ("my-best-try", "my-best-try-2"),
        ("私の", "quantized"),
    ]


def test_a_recipe_is_found_by_key_or_title(tmp_path: Path) -> None:
    _save("My best / try", "balanced-6bit", tmp_path, "a")
    recipes = user_recipes(tmp_path)
    for name in ("My best / try", "My-best-try"):
        recipe = recipes.find(name)
        assert recipe is not None
        assert (recipe.name, recipe.rules) == ("My-best-try", builtin.recipe("balanced-6bit").rules)
    assert recipes.find("your-best-try") is None


def test_a_file_without_a_recipe_is_reported_and_leaves_the_others(tmp_path: Path) -> None:
    _save("mine", "balanced-6bit", tmp_path, "a")
    (tmp_path / "b.json").write_text("{")
    recipes = user_recipes(tmp_path)
    assert [entry.recipe.title for entry in recipes.recipes] == ["mine"]
    assert [file.name for file in recipes.problems] == ["b.json"]


def test_a_missing_folder_has_no_recipes(tmp_path: Path) -> None:
    assert user_recipes(tmp_path / "nowhere").recipes == ()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("mixed_4_6", "mixed_4_6"), ("../../up", "up"), (".hidden", "hidden"), ("a\x00b", "a-b"), ("a" * 300, "a" * 80)],
)
def test_no_name_escapes_the_folder(name: str, folder: str) -> None:
    """Nor is a name too long for a disk."""
    assert folder_name(name) == folder
