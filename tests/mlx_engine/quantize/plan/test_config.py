"""config.json of a result. `test_stock.py` checks that stock mlx-lm opens it."""

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


def test_exceptions_are_listed_by_path_and_unquantized_matrices_as_false() -> None:
    """Only matrices that could be quantized are listed."""
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


def test_without_a_default_format_the_most_common_one_is_used() -> None:
    """Stock mlx-lm needs a default."""
    single = Recipe(name="", default="keep", tensors={"a": Format()})

    config = _config({}, only(matrix("a", 8, 64), matrix("b", 8, 64)), single)

    assert config["quantization"] == {**_usual, "b": False}


def test_an_unquantized_result_has_no_quantization_settings() -> None:
    """Even if the source was quantized."""
    config = _config({"quantization": _usual, "quantization_config": _usual}, dense(), recipe("bf16"))

    assert config == {}


def test_a_requested_type_replaces_the_original_one() -> None:
    """No fields are added."""
    original = {"torch_dtype": "bfloat16", "text_config": {"dtype": "bfloat16", "layers": 2}}

    config = _config(original, dense(), recipe("fp16"))

    assert config == {"text_config": {"dtype": "float16", "layers": 2}, "torch_dtype": "float16"}
    assert original["torch_dtype"] == "bfloat16"


def test_the_configuration_of_a_dropped_vision_tower_is_removed() -> None:
    """LM Studio would otherwise expect a vision model."""
    original = {"vision_config": {}, "_name_or_path": "somewhere", "model_type": "llama"}
    seeing = msgspec.structs.replace(
        dense(), parameters=(*dense().parameters, matrix("model.vision_tower.blocks.0.up_proj", 8, 64))
    )

    assert set(_config(original, dense(), recipe("bf16"))) == {"model_type"}
    assert set(_config(original, seeing, recipe("bf16"))) == {"model_type", "vision_config"}
