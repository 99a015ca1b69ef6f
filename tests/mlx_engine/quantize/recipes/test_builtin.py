"""The built-in recipes."""

import re

import pytest

from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.recipes.builtin import RECIPES, recipe
from mlx_engine.quantize.recipes.recipe import Format, Recipe
from mlx_engine.quantize.recipes.user_recipes import folder_name
from tests.outlines import dense, matrix, only


def test_every_recipe_has_a_unique_key_and_title_and_a_purpose() -> None:
    """The window shows them as cards, the command line as a table."""
    assert len({recipe.name for recipe in RECIPES}) == len({recipe.title for recipe in RECIPES}) == len(RECIPES)
    assert all(recipe.purpose.endswith(".") for recipe in RECIPES)


@pytest.mark.parametrize("entry", RECIPES, ids=lambda entry: entry.name)
def test_a_title_and_its_key_differ_only_in_punctuation_and_case(entry: Recipe) -> None:
    """Users of the window recognize a recipe on the command line and in folder names."""
    assert _letters(entry.title) == _letters(entry.name)
    assert folder_name(entry.name) == entry.name


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def test_every_number_of_bits_and_group_size_has_a_uniform_recipe() -> None:
    """Their keys have both; the default group is 64."""
    for bits in (8, 6, 5, 4, 3, 2):
        for group, suffix in ((64, ""), (32, "-g32"), (128, "-g128")):
            assert recipe(f"{bits}bit{suffix}").default == Format("affine", bits, group)


@pytest.mark.parametrize("name", [entry.name for entry in RECIPES])
@pytest.mark.parametrize("is_tied", [False, True])
def test_every_recipe_suits_a_common_network(name: str, is_tied: bool) -> None:
    """Those that quantize do so for every matrix."""
    outline = dense(is_tied=is_tied)
    quantizes = recipe(name).default != "keep"

    assert all(
        bool(placement.format) == quantizes
        for placement in layout(outline, recipe(name))
        if placement.parameter.can_be_quantized
    )


def test_tied_embeddings_get_the_bits_of_a_head() -> None:
    """mlx-lm's mixed recipes leave the head of such a model at the lowest bits."""
    outline = dense(is_tied=True)

    outside = {name: forecast(outline, recipe(name)).bits[0].bits["model.embed_tokens"] for name in _mixtures}

    assert outside == {"mixed_4_6": 4, "balanced-4bit": 6}


_mixtures = ("mixed_4_6", "balanced-4bit")


@pytest.mark.parametrize("name", ["balanced-2bit", "balanced-3bit", "balanced-4bit", "2bit"])
def test_routers_have_the_format_of_the_architecture(name: str) -> None:
    """Even if they have the names of matrices with the fewest bits."""
    routers = ("mlp.gate", "mlp.gate.gate_proj", "block_sparse_moe.gate", "feed_forward.router")
    outline = only(*(matrix(f"layers.0.{path}", 8, 64, prescribed=Format(bits=8)) for path in routers))

    assert {placement.format for placement in layout(outline, recipe(name))} == {Format(bits=8)}


def test_an_unknown_name_is_rejected_with_a_suggestion() -> None:
    """Or with the command that lists all names."""
    with pytest.raises(InvalidRecipe, match="Did you mean 4bit"):
        recipe("4bits")
    with pytest.raises(InvalidRecipe, match="`facet recipes` lists all recipes"):
        recipe("Zwiebel")
    with pytest.raises(InvalidRecipe, match="`facet recipes --llama-cpp`"):
        recipe("Q4_K_M")
