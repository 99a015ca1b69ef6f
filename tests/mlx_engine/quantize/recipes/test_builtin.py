"""The recipes that Facet brings along."""

import pytest

from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.recipes.builtin import RECIPES, recipe
from mlx_engine.quantize.recipes.recipe import Format
from tests.outlines import dense, matrix, only


def test_every_recipe_has_a_name_of_its_own_and_a_purpose_in_words() -> None:
    """The window shows them as cards, the command line as a table."""
    assert len({one.name for one in RECIPES}) == len(RECIPES)
    assert all(one.purpose.endswith(".") for one in RECIPES)


def test_there_is_a_uniform_recipe_for_each_number_of_bits_and_each_group() -> None:
    """By a name that says them; without a group it is 64."""
    for bits in (8, 6, 5, 4, 3, 2):
        for group in (32, 64, 128):
            assert recipe(f"affine-{bits}-g{group}").default == Format("affine", bits, group)
        assert recipe(f"affine-{bits}") == recipe(f"affine-{bits}-g64")


@pytest.mark.parametrize("name", [one.name for one in RECIPES])
@pytest.mark.parametrize("is_tied", [False, True])
def test_every_recipe_is_possible_for_a_common_network(name: str, is_tied: bool) -> None:
    """And where it quantizes, it leaves no matrix out."""
    outline = dense(is_tied=is_tied)
    quantizes = recipe(name).default != "keep"

    assert all(
        bool(placement.format) == quantizes
        for placement in layout(outline, recipe(name))
        if placement.parameter.can_be_quantized
    )


def test_tied_embeddings_get_the_bits_of_a_head() -> None:
    """mlx-lm's mixtures leave the head of such a model at the lowest bits; ours do not."""
    outline = dense(is_tied=True)

    outside = {name: forecast(outline, recipe(name)).bits[0].bits["model.embed_tokens"] for name in _mixtures}

    assert outside == {"mixed_4_6": 4, "balanced-4": 6}


_mixtures = ("mixed_4_6", "balanced-4")


@pytest.mark.parametrize("name", ["balanced-2", "balanced-3", "balanced-4", "affine-2"])
def test_routers_get_what_the_architecture_wants(name: str) -> None:
    """Also where they are called like the matrices that get the fewest bits."""
    routers = ("mlp.gate", "mlp.gate.gate_proj", "block_sparse_moe.gate", "feed_forward.router")
    outline = only(*(matrix(f"layers.0.{path}", 8, 64, wanted=Format(bits=8)) for path in routers))

    assert {placement.format for placement in layout(outline, recipe(name))} == {Format(bits=8)}


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    """Or with where to look."""
    with pytest.raises(InvalidRecipe, match="Did you mean affine-4"):
        recipe("afine-4")
    with pytest.raises(InvalidRecipe, match="`facet recipes` lists them"):
        recipe("Zwiebel")
    with pytest.raises(InvalidRecipe, match="`facet recipes --llama-cpp`"):
        recipe("Q4_K_M")
