"""Editing a recipe step by step."""

import pytest

from app.viewmodels.quantize.recipe_editor import RecipeEditor
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Format, Rule
from tests.app.outlines import outline

EIGHT, TWO = Format(bits=8), Format(bits=2)


@pytest.fixture
def editor(qapp: object) -> RecipeEditor:
    return RecipeEditor(outline(), recipe("balanced-4bit"))


def column(editor: RecipeEditor, kind: str) -> set[str]:
    return {row.cells[kind].path for row in editor.map.rows}


def bits(editor: RecipeEditor, paths: set[str]) -> set[float]:
    return {editor.map.by_path[path].bits for path in paths}


def test_a_matrix_gets_its_own_format(editor: RecipeEditor) -> None:
    """Only that matrix changes, and the recipe names it."""
    path = "model.layers.3.self_attn.o_proj"
    before = dict(editor.map.by_path)
    editor.set_treatment({path}, EIGHT)
    assert editor.recipe.tensors == {path: EIGHT}
    assert {name for name, cell in editor.map.by_path.items() if cell != before[name]} == {path}


def test_a_whole_column_becomes_a_rule(editor: RecipeEditor) -> None:
    """Rules suit other models too; earlier entries for its matrices are removed."""
    chosen = column(editor, "self_attn.v_proj")
    editor.set_treatment({min(chosen)}, "keep")
    editor.set_treatment(chosen, EIGHT)
    assert bits(editor, chosen) == {8}
    assert editor.recipe.tensors == {}
    assert editor.recipe.rules[0] == Rule(kinds=("self_attn.v_proj",), treatment=EIGHT)
    editor.set_treatment(chosen, TWO)
    assert [rule.treatment for rule in editor.recipe.rules if rule.kinds == ("self_attn.v_proj",)] == [TWO]


def test_everything_becomes_the_default(editor: RecipeEditor) -> None:
    """A recipe with a single format has only a default."""
    editor.set_treatment(set(editor.map.by_path), TWO)
    assert (editor.recipe.default, editor.recipe.rules, editor.recipe.tensors) == (TWO, (), {})
    assert bits(editor, set(editor.map.by_path)) == {2}


def test_every_step_can_be_undone_and_redone(editor: RecipeEditor) -> None:
    """A new step removes the undone ones."""
    first, second = "model.layers.0.mlp.up_proj", "lm_head"
    editor.set_treatment({first}, EIGHT)
    editor.set_treatment({second}, "keep")
    editor.undo()
    editor.undo()
    assert editor.recipe == editor.origin
    assert not editor.can_undo
    editor.redo()
    assert bits(editor, {first}) == {8}
    editor.set_treatment({first}, TWO)
    assert not editor.can_redo


def test_a_change_without_effect_is_not_a_step(editor: RecipeEditor) -> None:
    editor.set_treatment({"lm_head"}, "as the recipe")
    assert not editor.can_undo


@pytest.mark.parametrize("kind", ["mlp.down_proj", "self_attn.q_proj"])
def test_matrices_can_be_reset_to_the_recipe(editor: RecipeEditor, kind: str) -> None:
    """After changes to columns and single matrices, with or without rules."""
    before, chosen = dict(editor.map.by_path), column(editor, kind)
    editor.set_treatment(chosen, EIGHT)
    editor.set_treatment({min(chosen)}, TWO)
    editor.set_treatment(chosen, "as the recipe")
    assert dict(editor.map.by_path) == before


def test_a_matrix_that_cannot_be_quantized_has_a_reason(qapp: object) -> None:
    """The cell has the obstacle; others of its kind change."""
    editor = RecipeEditor(outline(odd=100), recipe("4bit"))
    cell = editor.map.rows[0].cells["mlp.down_proj"]
    assert cell.obstacle == "its rows of 100 weights do not divide by 64"
    assert (cell.bits, cell.format) == (16, None)
