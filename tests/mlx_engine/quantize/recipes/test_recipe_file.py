"""Recipe files."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.errors import InvalidRecipe, StorageError
from mlx_engine.quantize.recipes.builtin import RECIPES
from mlx_engine.quantize.recipes.recipe import Format, Recipe, Rule
from mlx_engine.quantize.recipes.recipe_file import decode_recipe, encode_recipe, read_recipe, write_recipe

_treatments = st.one_of(
    st.just("keep"),
    st.builds(Format, st.just("affine"), st.sampled_from([2, 3, 4, 5, 6, 8]), st.sampled_from([32, 64, 128])),
    st.sampled_from([Format("mxfp4", 4, 32), Format("nvfp4", 4, 16), Format("mxfp8", 8, 32)]),
)
_ranges = st.tuples(st.integers(0, 99), st.integers(0, 99)).map(lambda ends: (min(ends), max(ends)))
_rules = st.builds(
    Rule,
    kinds=st.lists(st.text(min_size=1), max_size=3).map(tuple),
    layers=st.one_of(st.sampled_from(["all", "outer", "outer and every third"]), _ranges),
    treatment=_treatments,
)
_recipes = st.builds(
    Recipe,
    name=st.text(),
    purpose=st.text(),
    default=_treatments,
    dtype=st.sampled_from(["source", "bfloat16", "float16", "float32"]),
    rules=st.lists(_rules, max_size=3).map(tuple),
    tensors=st.dictionaries(st.text(), _treatments, max_size=3),
    follows_architecture=st.booleans(),
)


@given(recipe=_recipes)
def test_a_recipe_is_unchanged_after_writing_and_reading(recipe: Recipe) -> None:
    """Of any kind."""
    assert decode_recipe(encode_recipe(recipe), "mine.json") == recipe


def test_a_recipe_file_is_readable(tmp_path: Path) -> None:
    """Its JSON is indented."""
    write_recipe(RECIPES[0], tmp_path / "mine.json")

    assert read_recipe(tmp_path / "mine.json") == RECIPES[0]
    assert len((tmp_path / "mine.json").read_text().splitlines()) > 10


def _with(**fields: Any) -> bytes:
    return json.dumps({"name": "mine", "default": "keep", **fields}).encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "mine.json is not a valid recipe: invalid JSON"),
        (b"\xff\xfe", "mine.json is not a valid recipe: invalid JSON"),
        (b"[" * 100_000, "mine.json is not a valid recipe: invalid JSON"),
        (b"[]", "mine.json is not a valid recipe: expected an object, got a list."),
        (b"{}", 'mine.json is not a valid recipe: missing field "name".'),
        (_with(extra=1), 'mine.json is not a valid recipe: unknown field "extra".'),
        (_with(name=1), "mine.json is not a valid recipe, at name: expected text, got a whole number."),
        (_with(dtype="half"), "at dtype: unknown value 'half'. Valid values: source, bfloat16, float16, float32."),
        (
            _with(default="kep"),
            "at default: unknown value 'kep'. Valid values: \"keep\", or an object with mode, bits and",
        ),
        (_with(default={"bitz": 4}), 'at default: unknown field "bitz".'),
        (_with(default={"bits": "4"}), "at default.bits: expected a whole number, got text."),
        (
            _with(default={"bits": 7}),
            "mine.json, at default: MLX does not support affine with 7 bits and groups of 64.",
        ),
        (_with(tensors={"a.b": {"bits": 1}}), "mine.json, at tensors.a.b: MLX does not support affine with 1 bits"),
        (
            _with(tensors={"a.b": {"mode": "int4"}}),
            'at tensors.a.b: "int4" is not a quantization mode of MLX. Use affine, ',
        ),
        (_with(tensors=["a"]), "at tensors: expected an object, got a list."),
        (
            _with(rules=[{"kinds": "v_proj", "treatment": "keep"}]),
            "at rules[0].kinds: expected a list, got text.",
        ),
        (_with(rules=[{"kinds": ["v_proj"]}]), 'at rules[0]: missing field "treatment".'),
        (
            _with(rules=[{"layers": "inner", "treatment": "keep"}]),
            "at rules[0].layers: unknown value 'inner'. Valid values: all",
        ),
        (
            _with(rules=[{"layers": [9, 2], "treatment": "keep"}]),
            "at rules[0]: The layers 9 to 2 are not a valid range.",
        ),
        (_with(rules=[{"treatment": "keep"}, 5]), "at rules[1]: expected an object, got a whole number."),
    ],
)
def test_an_invalid_file_is_reported_with_the_position(text: bytes, message: str) -> None:
    """With the valid values."""
    with pytest.raises(InvalidRecipe) as caught:
        decode_recipe(text, "mine.json")

    assert message in caught.value.message


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """So is a folder without write permission."""
    with pytest.raises(StorageError, match=r"Couldn't read the recipe .*: No such file"):
        read_recipe(tmp_path / "mine.json")
    with pytest.raises(StorageError, match="Couldn't save the recipe"):
        write_recipe(RECIPES[0], tmp_path / "missing" / "mine.json")
