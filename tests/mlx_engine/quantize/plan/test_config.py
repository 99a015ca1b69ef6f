"""config.json of a result. That stock mlx-lm opens it, `test_stock.py` sees."""

from typing import Any

import msgspec

from mlx_engine.quantize.plan.config import quantized_config
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Format, Recipe, Rule
from tests.outlines import dense, matrix, only, plain

_usual = {"group_size": 64, "bits": 4, "mode": "affine"}


def _config(config: dict[str, Any], outline: Outline, recipe: Recipe) -> dict[str, Any]:
    return quantized_config(config, layout(outline, recipe), recipe)


def test_what_differs_from_the_default_is_told_by_path_and_what_is_kept_as_false() -> None:
    """Only of matrices that could be quantized."""
    outline = only(
        matrix("a", 8, 64),
        matrix("b", 8, 100),
        matrix("c", 8, 64),
        plain("norm.weight", 64),
        plain("conv.weight", 8, 4),
    )
    mixed = Recipe(name="", default=Format(), rules=(Rule(kinds=("c",), treatment=Format("mxfp8", 8, 32)),))

    config = _config({}, outline, mixed)

    assert config["quantization"] == {**_usual, "b": False, "c": {"group_size": 32, "bits": 8, "mode": "mxfp8"}}
    assert config["quantization_config"] == config["quantization"]


def test_where_the_default_is_to_keep_the_commonest_format_stands_for_all() -> None:
    """Stock mlx-lm needs one."""
    single = Recipe(name="", default="keep", tensors={"a": Format()})

    config = _config({}, only(matrix("a", 8, 64), matrix("b", 8, 64)), single)

    assert config["quantization"] == {**_usual, "b": False}


def test_nothing_is_said_of_quantization_where_there_is_none() -> None:
    """Also if the source was quantized."""
    config = _config({"quantization": _usual, "quantization_config": _usual}, dense(), recipe("bf16"))

    assert config == {}


def test_a_wanted_type_is_told_wherever_the_original_told_one() -> None:
    """Fields that were not there do not come."""
    original = {"torch_dtype": "bfloat16", "text_config": {"dtype": "bfloat16", "layers": 2}}

    config = _config(original, dense(), recipe("fp16"))

    assert config == {"text_config": {"dtype": "float16", "layers": 2}, "torch_dtype": "float16"}
    assert original["torch_dtype"] == "bfloat16"


def test_the_eyes_configuration_goes_with_the_eyes() -> None:
    """LM Studio takes it for a promise of them."""
    original = {"vision_config": {}, "_name_or_path": "somewhere", "model_type": "llama"}
    seeing = msgspec.structs.replace(
        dense(), parameters=(*dense().parameters, matrix("model.vision_tower.blocks.0.up_proj", 8, 64))
    )

    assert set(_config(original, dense(), recipe("bf16"))) == {"model_type"}
    assert set(_config(original, seeing, recipe("bf16"))) == {"model_type", "vision_config"}
