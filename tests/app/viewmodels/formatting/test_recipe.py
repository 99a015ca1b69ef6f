"""Recipes in words."""

import msgspec
import pytest

from app.viewmodels.formatting.recipe import suffix, title, treatment_in_words
from mlx_engine.quantize.recipes.builtin import RECIPES, recipe
from mlx_engine.quantize.recipes.recipe import Format


@pytest.mark.parametrize(
    ("name", "called", "ending"),
    [
        ("affine-4", "4-bit", "4bit"),
        ("affine-6-g32", "6-bit, groups of 32", "6bit-g32"),
        ("nvfp4", "NVFP4", "nvfp4"),
        ("bf16", "bfloat16", "bf16"),
        ("mixed_3_6", "Mixed 3/6-bit", "mixed-3-6"),
        ("balanced-4", "Balanced 4-bit", "balanced-4"),
    ],
)
def test_a_recipe_has_a_name_for_people_and_one_for_folders(name: str, called: str, ending: str) -> None:
    """The endings are those that are usual on the Hub."""
    assert (title(recipe(name)), suffix(recipe(name))) == (called, ending)


def test_no_two_recipes_are_called_the_same() -> None:
    """Otherwise nobody could tell their cards, or what came of them."""
    assert len({title(one) for one in RECIPES}) == len({suffix(one) for one in RECIPES}) == len(RECIPES)


def test_a_changed_recipe_does_not_pass_for_a_built_in_one() -> None:
    """It keeps the name that it has, even where that of another would fit its default."""
    own = msgspec.structs.replace(recipe("affine-4"), name="Für den Flug")
    assert (title(own), suffix(own)) == ("Für den Flug", "F-r-den-Flug")


def test_what_becomes_of_a_matrix_is_short() -> None:
    assert treatment_in_words("keep") == "kept"
    assert treatment_in_words(Format(bits=3, group_size=128)) == "3-bit, groups of 128"
