"""Choosing matrices on the map."""

import pytest

from app.viewmodels.quantize.map_selection import ALL, OUTSIDE, Selection
from app.viewmodels.quantize.recipe_map import recipe_map
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.recipes.builtin import recipe
from tests.app.outlines import outline


@pytest.fixture
def selection() -> Selection:
    """Eight layers of seven matrices, and two outside of them; the first matrix of the first layer is chosen."""
    return Selection(recipe_map(layout(outline(), recipe("4bit"))))


def test_columns_are_in_the_order_in_which_a_token_meets_them(selection: Selection) -> None:
    names = [kind.rpartition(".")[2].removesuffix("_proj") for kind in selection.map.kinds]
    assert names == ["q", "k", "v", "o", "gate", "up", "down"]


def test_a_click_chooses_one_matrix(selection: Selection) -> None:
    assert selection.at((3, 2)).paths == {"model.layers.2.self_attn.v_proj"}
    assert selection.at((OUTSIDE, 1)).paths == {"lm_head"}


def test_shift_chooses_what_lies_between(selection: Selection) -> None:
    """In either direction, and without what is outside of the layers."""
    assert len(selection.at((2, 1)).at((4, 3), extends=True).paths) == 9
    assert selection.at((4, 3)).at((2, 1), extends=True).paths == selection.at((2, 1)).at((4, 3), extends=True).paths
    assert all("layers" in path for path in selection.at((2, 0)).at((OUTSIDE, 1), extends=True).paths)


def test_headings_choose_lines_and_columns(selection: Selection) -> None:
    """A column is one of the layers; both headings together are everything."""
    assert len(selection.at((5, ALL)).paths) == 7
    assert len(selection.at((ALL, 6)).paths) == 8
    assert selection.at((OUTSIDE, ALL)).paths == {"model.embed_tokens", "lm_head"}
    assert selection.at((ALL, ALL)).paths == set(selection.map.by_path)


def test_the_command_key_adds_and_takes_away(selection: Selection) -> None:
    both = selection.at((1, 0)).at((8, 6), adds=True)
    assert both.paths == {"model.layers.0.self_attn.q_proj", "model.layers.7.mlp.down_proj"}
    assert both.at((1, 0), adds=True).paths == {"model.layers.7.mlp.down_proj"}


def test_the_arrows_go_over_the_headings(selection: Selection) -> None:
    """Left of the first matrix stands its line; above the first line, what is outside and then the column."""
    assert selection.moved(0, -1).cursor == (1, ALL)
    assert selection.moved(0, -1).moved(0, 1).cursor == (1, 0)
    assert selection.moved(-1, 0).cursor == (OUTSIDE, 0)
    assert selection.moved(-1, 0).moved(-1, 0).cursor == (ALL, 0)
    assert selection.at((8, 6)).moved(1, 1).cursor == (8, 6)
    assert len(selection.moved(1, 1, extends=True).paths) == 4


def test_what_is_chosen_is_said(selection: Selection) -> None:
    assert selection.summary() == "model.layers.0.self_attn.q_proj: 4-bit"
    assert selection.at((2, ALL)).summary() == "7 matrices selected"
    assert Selection(selection.map).at((1, 0), adds=True).summary() == "Nothing selected"
