"""Behaviour of finding the recipes that a person has made."""

from pathlib import Path

import msgspec
import pytest

from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe_file import write_recipe
from mlx_engine.quantize.recipes.user_recipes import folder_name, own_recipes


def _keep(name: str, like: str, folder: Path, file: str) -> None:
    write_recipe(msgspec.structs.replace(builtin.recipe(like), name=name), folder / f"{file}.json")


def test_each_has_a_name_that_a_folder_can_have_and_no_other(tmp_path: Path) -> None:
    """What is called like one that Facet brings along, or like another one, has a number; none is left out."""
    _keep("balanced-4", "balanced-5", tmp_path, "a")
    _keep("My best / try", "balanced-6", tmp_path, "b")
    _keep("my-best-try", "balanced-4", tmp_path, "c")
    _keep("私の", "balanced-4", tmp_path, "d")
    found = own_recipes(tmp_path)
    assert [(one.title, one.recipe.name) for one in found.recipes] == [
        ("balanced-4", "balanced-4-2"),
        ("My best / try", "My-best-try"),
        ("my-best-try", "my-best-try-2"),
        ("私の", "quantized"),
    ]


def test_it_is_found_by_either_name(tmp_path: Path) -> None:
    """That of the folder first."""
    _keep("My best / try", "balanced-6", tmp_path, "a")
    found = own_recipes(tmp_path)
    for name in ("My best / try", "My-best-try"):
        recipe = found.named(name)
        assert recipe is not None
        assert (recipe.name, recipe.rules) == ("My-best-try", builtin.recipe("balanced-6").rules)
    assert found.named("your-best-try") is None


def test_a_file_that_is_no_recipe_is_told_and_leaves_the_others(tmp_path: Path) -> None:
    """Nor is a folder needed."""
    _keep("mine", "balanced-6", tmp_path, "a")
    (tmp_path / "b.json").write_text("{")
    found = own_recipes(tmp_path)
    assert [one.title for one in found.recipes] == ["mine"]
    assert found.problems[0].startswith("b.json is no recipe")
    assert own_recipes(tmp_path / "nowhere").recipes == ()


@pytest.mark.parametrize(
    ("name", "folder"),
    [("mixed_4_6", "mixed_4_6"), ("../../up", "up"), (".hidden", "hidden"), ("a\x00b", "a-b"), ("a" * 300, "a" * 80)],
)
def test_no_name_leads_out_of_its_folder(name: str, folder: str) -> None:
    """Nor is one too long for a disk."""
    assert folder_name(name) == folder
