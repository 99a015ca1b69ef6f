"""Formats of all parameters. `test_stock.py` compares them with stock mlx-lm."""

import msgspec
import pytest

from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize.plan.layout import ParameterPlacement, layout
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.recipe import Format, Recipe, Rule, Treatment
from tests.outlines import dense, matrix, only, plain

_four, _six, _eight = Format(bits=4), Format(bits=6), Format(bits=8)


def _recipe(*rules: Rule, default: Treatment = _four, **fields: object) -> Recipe:
    return msgspec.structs.replace(Recipe(name="test", default=default, rules=rules), **fields)


def _placed(outline: Outline, recipe: Recipe) -> dict[str, ParameterPlacement]:
    return {placement.parameter.path: placement for placement in layout(outline, recipe)}


def _formats(outline: Outline, recipe: Recipe) -> dict[str, Format | None]:
    return {path: placement.format for path, placement in _placed(outline, recipe).items()}


def test_an_affine_matrix_is_words_scales_and_biases() -> None:
    """A word contains eight weights of 4 bits; scales have the type of the floats."""
    (placement,) = layout(only(matrix("q_proj", 10, 128)), _recipe())

    assert placement.arrays == {
        "q_proj.weight": ("U32", (10, 16)),
        "q_proj.scales": ("BF16", (10, 2)),
        "q_proj.biases": ("BF16", (10, 2)),
    }
    assert placement.size_bytes == 10 * 16 * 4 + 2 * 10 * 2 * 2


def test_a_micro_scaled_matrix_has_byte_scales_and_no_biases() -> None:
    """Experts keep their axis."""
    (placement,) = layout(only(matrix("up_proj", 4, 10, 64)), _recipe(default=Format("nvfp4", 4, 16)))

    assert placement.arrays == {"up_proj.weight": ("U32", (4, 10, 8)), "up_proj.scales": ("U8", (4, 10, 4))}


def test_a_format_by_path_precedes_rules_which_precede_the_default() -> None:
    """The first rule that matches applies."""
    recipe = _recipe(
        Rule(kinds=("v_proj", "down_proj"), treatment=_six),
        Rule(kinds=("_proj",), layers=(0, 0), treatment=_eight),
        tensors={"model.layers.1.self_attn.v_proj": "keep"},
    )

    formats = _formats(dense(layers=2), recipe)

    assert formats["model.layers.0.self_attn.v_proj"] == _six
    assert formats["model.layers.1.self_attn.v_proj"] is None
    assert formats["model.layers.0.self_attn.q_proj"] == _eight
    assert formats["model.layers.1.self_attn.q_proj"] == _four


def test_formats_required_by_the_architecture_precede_the_default_but_not_rules() -> None:
    """They are reported with their bits."""
    outline = only(
        matrix("layers.0.mlp.gate", 8, 64, prescribed=_eight), matrix("layers.0.embed_q", 8, 64, prescribed="keep")
    )

    gate, embed = layout(outline, _recipe())
    assert (gate.format, gate.reason) == (_eight, "the architecture prescribes 8 bits")
    assert (embed.format, embed.reason) == (None, "the architecture needs it unquantized")
    assert [placement.format for placement in layout(outline, _recipe(follows_architecture=False))] == [_four, _four]
    assert [placement.format for placement in layout(outline, _recipe(Rule(treatment=_six)))] == [_six, _six]
    assert [placement.format for placement in layout(outline, _recipe(default="keep"))] == [None, None]


@pytest.mark.parametrize(
    ("layers", "chosen"),
    [
        ("all", range(16)),
        ("outer", [0, 1, 14, 15]),
        ("outer and every third", [0, 1, 4, 7, 10, 13, 14, 15]),
        ((3, 5), [3, 4, 5]),
    ],
)
def test_rules_for_layers_match_these_layers(layers: object, chosen: list[int]) -> None:
    """An eighth of 16 layers is two."""
    rule = msgspec.convert({"kinds": ["v_proj"], "layers": layers, "treatment": {"bits": 6}}, Rule)

    formats = _formats(dense(), _recipe(rule))

    numbers = [number for number in range(16) if formats[f"model.layers.{number}.self_attn.v_proj"] == _six]
    assert numbers == list(chosen)


def test_a_rule_for_layers_matches_nothing_else() -> None:
    """The embeddings are not in a layer."""
    formats = _formats(dense(), _recipe(Rule(layers=(0, 15), treatment=_six)))

    assert formats["model.embed_tokens"] == formats["lm_head"] == _four
    assert formats["model.layers.15.mlp.down_proj"] == _six


@pytest.mark.parametrize(("is_tied", "head"), [(False, "lm_head"), (True, "model.embed_tokens")])
def test_tied_embeddings_match_a_rule_for_the_head(is_tied: bool, head: str) -> None:
    """They convert vectors into tokens too."""
    formats = _formats(dense(is_tied=is_tied), _recipe(Rule(kinds=("head",), treatment=_six)))

    assert [path for path, form in formats.items() if form == _six] == [head]


def test_a_rule_for_embeddings_matches_any_of_their_names() -> None:
    """GPT-2 calls them wte."""
    outline = only(matrix("transformer.wte", 96, 64), matrix("transformer.h.0.attn.c_attn", 64, 64))

    formats = _formats(outline, _recipe(Rule(kinds=("embeddings",), treatment=_six)))

    assert list(formats.values()) == [_six, _four]


def test_a_matrix_that_cannot_be_quantized_has_a_reason() -> None:
    """With any recipe."""
    outline = only(
        matrix("layers.0.mlp.down_proj", 64, 1000),
        plain("layers.0.norm.weight", 64),
        plain("layers.0.mlp.down_proj.bias", 64),
        plain("layers.0.conv1d.weight", 64, 4, 1),
        plain("layers.0.sinks", 4, 4),
        msgspec.structs.replace(matrix("layers.0.lookup", 64, 64), dtype="I32"),
    )

    placed = layout(outline, _recipe(Rule(treatment=_four)))

    assert {placement.format for placement in placed} == {None}
    assert [placement.reason for placement in placed] == [
        "its rows of 1,000 weights do not divide by 64",
        "a norm",
        "a vector",
        "a convolution",
        "mlx-lm has no quantized form of it",
        "its numbers are not floats",
    ]


def test_groups_of_the_default_decide_for_required_formats() -> None:
    """As in mlx-lm: rows of 192 divide by the router's 64, but not by the default's 128."""
    outline = only(matrix("layers.0.mlp.gate", 8, 192, prescribed=_eight))

    (gate,) = layout(outline, _recipe(default=Format(bits=4, group_size=128)))

    assert (gate.format, gate.reason) == (None, "its rows of 192 weights do not divide by 128")


def test_a_matrix_that_the_recipe_keeps_has_no_reason() -> None:
    """Nor have norms if nothing is quantized."""
    assert {placement.reason for placement in layout(dense(), _recipe(default="keep"))} == {""}


@pytest.mark.parametrize(
    ("requested", "dtype", "becomes"),
    [("source", "bfloat16", "BF16"), ("source", "", "F32"), ("float16", "bfloat16", "F16")],
)
def test_floats_have_the_type_of_the_recipe_or_of_stock_mlx_lm(requested: str, dtype: str, becomes: str) -> None:
    """Scales have the same type."""
    outline = only(msgspec.structs.replace(matrix("q_proj", 8, 64), dtype="F32"), dtype=dtype)

    (placement,) = layout(outline, _recipe(dtype=requested))

    assert placement.dtype == placement.arrays["q_proj.scales"][0] == becomes


def test_integers_and_tensors_that_must_not_be_cast_keep_their_type() -> None:
    """A router's correction stays in float32, a table of indices in integers."""
    correction = msgspec.structs.replace(plain("expert_bias", 8, dtype="F32"), can_be_cast=False)

    placed = layout(only(correction, plain("indices", 8, dtype="I64")), _recipe(dtype="float16"))

    assert [placement.dtype for placement in placed] == ["F32", "I64"]


def test_an_unknown_matrix_is_rejected_with_a_suggestion() -> None:
    """A recipe for another model is not applied in part."""
    recipe = _recipe(tensors={"model.layers.0.self_attn.v_prj": _six})

    with pytest.raises(
        InvalidRecipe, match=r'"model\.layers\.0\.self_attn\.v_prj".*"model\.layers\.0\.self_attn\.v_proj"'
    ):
        layout(dense(), recipe)


def test_unknown_layers_are_rejected() -> None:
    """The message names the rule and the number of layers."""
    with pytest.raises(InvalidRecipe, match=r"rules\[0\] .* 10 to 16.* only 16"):
        layout(dense(), _recipe(Rule(layers=(10, 16), treatment=_six)))
