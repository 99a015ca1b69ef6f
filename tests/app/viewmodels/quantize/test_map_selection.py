"""Selecting matrices on the map."""

import pytest

from app.viewmodels.quantize.map_selection import ALL, OUTSIDE, Selection
from app.viewmodels.quantize.recipe_map import recipe_map
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.recipes.builtin import recipe
from tests.app.outlines import outline


@pytest.fixture
def selection() -> Selection:
    """Return a map of eight layers of seven matrices and two others; the first matrix is selected."""
    return Selection(recipe_map(layout(outline(), recipe("4bit"))))


def test_columns_follow_the_order_of_computation(selection: Selection) -> None:
    names = [kind.rpartition(".")[2].removesuffix("_proj") for kind in selection.map.kinds]
    assert names == ["q", "k", "v", "o", "gate", "up", "down"]


def test_a_click_selects_one_matrix(selection: Selection) -> None:
    assert selection.at((3, 2)).paths == {"model.layers.2.self_attn.v_proj"}
    assert selection.at((OUTSIDE, 1)).paths == {"lm_head"}


def test_shift_selects_a_range(selection: Selection) -> None:
    """In either direction, without the matrices outside of layers."""
    assert len(selection.at((2, 1)).at((4, 3), extends=True).paths) == 9
    assert selection.at((4, 3)).at((2, 1), extends=True).paths == selection.at((2, 1)).at((4, 3), extends=True).paths
    assert all("layers" in path for path in selection.at((2, 0)).at((OUTSIDE, 1), extends=True).paths)


def test_headings_select_lines_and_columns(selection: Selection) -> None:
    """A column is within the layers; both headings together select everything."""
    assert len(selection.at((5, ALL)).paths) == 7
    assert len(selection.at((ALL, 6)).paths) == 8
    assert selection.at((OUTSIDE, ALL)).paths == {"model.embed_tokens", "lm_head"}
    assert selection.at((ALL, ALL)).paths == set(selection.map.by_path)


def test_the_command_key_adds_and_removes(selection: Selection) -> None:
    both = selection.at((1, 0)).at((8, 6), adds=True)
    assert both.paths == {"model.layers.0.self_attn.q_proj", "model.layers.7.mlp.down_proj"}
    assert both.at((1, 0), adds=True).paths == {"model.layers.7.mlp.down_proj"}


def test_arrow_keys_reach_the_headings(selection: Selection) -> None:
    """The heading of a line is on its left; above the first line are the outer matrices, then the column."""
    assert selection.moved(0, -1).cursor == (1, ALL)
    assert selection.moved(0, -1).moved(0, 1).cursor == (1, 0)
    assert selection.moved(-1, 0).cursor == (OUTSIDE, 0)
    assert selection.moved(-1, 0).moved(-1, 0).cursor == (ALL, 0)
    assert selection.at((8, 6)).moved(1, 1).cursor == (8, 6)
    assert len(selection.moved(1, 1, extends=True).paths) == 4


def test_the_selection_is_summarized(selection: Selection) -> None:
    assert selection.summary() == "model.layers.0.self_attn.q_proj: 4-bit"
    assert selection.at((2, ALL)).summary() == "7 matrices selected"
    assert Selection(selection.map).at((1, 0), adds=True).summary() == "Nothing selected"
