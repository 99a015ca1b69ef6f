"""Forecasts compared with the resulting files."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlx_engine.models.description.bit_map import LayerBits
from mlx_engine.models.description.describe import describe, read_bit_map
from mlx_engine.models.files.safetensors import compose_header
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import fit
from mlx_engine.quantize.plan import shards
from mlx_engine.quantize.plan.config import quantized_config
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.plan.outline import Dropped, Outline
from mlx_engine.quantize.plan.shards import into_shards
from mlx_engine.quantize.recipes.builtin import RECIPES, recipe
from mlx_engine.quantize.recipes.recipe import Format, Recipe, Rule
from tests.model_folders import CONFIG, write_model
from tests.outlines import dense, matrix, only, plain

_shape = {"num_hidden_layers": 16, "hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 4}


def _written(folder: Path, outline: Outline, recipe: Recipe) -> Path:
    """Write the files of the conversion."""
    placements = layout(outline, recipe)
    arrays = {name: array for placement in placements for name, array in placement.arrays.items()}
    return write_model(folder, arrays, **quantized_config(CONFIG | _shape, placements, recipe))


@pytest.mark.parametrize("name", ["4bit", "balanced-4bit", "mixed_3_6", "nvfp4", "mxfp8", "fp16"])
def test_a_forecast_equals_the_description_of_the_result(name: str, tmp_path: Path) -> None:
    """In size, bits per weight, precision, map and memory."""
    outline = dense(hidden=192, is_tied=True)
    estimate = forecast(outline, recipe(name))
    original = describe(_written(tmp_path / "original", outline, recipe("bf16")), "me/model")

    folder = _written(tmp_path / "result", outline, recipe(name))

    result, expected = describe(folder, "me/model"), estimate.describe(original)
    assert estimate.size_bytes == (folder / "model.safetensors").stat().st_size
    for field in ("parameters", "bits_per_weight", "quantization", "bits", "loaded_bytes", "loaded_half_bytes"):
        assert getattr(expected, field) == getattr(result, field)
    assert estimate.bits == read_bit_map(folder)
    machine = Machine(8 * 10**9, 6 * 10**9, "", has_metal=True)
    assert fit(expected, machine, context=1000).estimate == fit(result, machine, context=1000).estimate


_rows = st.sampled_from([16, 32, 48, 64, 100, 128, 192])
_parameters = st.lists(
    st.one_of(
        st.builds(lambda rows, row: (rows, row), st.integers(1, 9), _rows),
        st.builds(lambda experts, rows, row: (experts, rows, row), st.integers(1, 3), st.integers(1, 5), _rows),
        st.builds(lambda size: (size,), st.integers(1, 300)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(shapes=_parameters, chosen=st.sampled_from(RECIPES), limit=st.integers(1, 5000))
def test_the_size_includes_all_files_and_headers(shapes: list[tuple[int, ...]], chosen: Recipe, limit: int) -> None:
    """Here, arrays are split into files of up to 5,000 bytes."""
    outline = only(
        *(
            matrix(f"layers.{number}.down_proj", *shape) if len(shape) > 1 else plain(f"norm{number}.weight", *shape)
            for number, shape in enumerate(shapes)
        ),
        layers=len(shapes),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", limit)
        estimate = forecast(outline, chosen)
        files = into_shards(item for placement in layout(outline, chosen) for item in placement.arrays.items())

    headers = [compose_header(file.arrays) for file in files]
    assert estimate.files == len(files)
    assert estimate.size_bytes == sum(
        len(header) + sum(entry.size_bytes for entry in entries.values()) for header, entries in headers
    )


def test_a_row_of_the_map_has_the_bits_of_one_layer() -> None:
    """Matrices outside of layers come first; norms are not on the map."""
    outline = dense(layers=1, is_tied=True)

    estimate = forecast(outline, Recipe(name="", default=Format(), rules=(Rule(kinds=("head",), treatment="keep"),)))

    names = [f"self_attn.{name}_proj" for name in "qkvo"] + [f"mlp.{name}_proj" for name in ("gate", "up", "down")]
    assert estimate.bits == (LayerBits(None, {"model.embed_tokens": 16}), LayerBits(0, dict.fromkeys(names, 4)))


def test_unquantized_matrices_have_a_path_and_a_reason() -> None:
    """Quantized ones are not listed."""
    outline = only(matrix("up_proj", 8, 100), matrix("down_proj", 8, 64), plain("norm.weight", 64))

    estimate = forecast(outline, recipe("4bit"))

    assert estimate.unquantized == (("up_proj", "its rows of 100 weights do not divide by 64"), ("norm", "a norm"))


def test_rules_without_a_match_are_reported() -> None:
    """mlx-lm's mixed recipes have a rule for the head, which models with tied embeddings do not have."""
    assert forecast(dense(is_tied=True), recipe("mixed_3_6")).notes == (
        "The recipe's rule for lm_head matches no matrix of this model.",
    )
    assert forecast(dense(), recipe("mixed_3_6")).notes == ()


def test_formats_required_by_the_architecture_are_reported() -> None:
    """For example a router in 8 bits."""
    outline = only(*(matrix(f"layers.{layer}.mlp.gate", 8, 64, prescribed=Format(bits=8)) for layer in range(3)))

    (note,) = forecast(outline, recipe("4bit")).notes

    assert note == "The architecture prescribes a different format for layers.0.mlp.gate and 2 more."


def test_dropped_tensors_are_reported_with_their_size() -> None:
    """Such as the vision tower of a model that mlx-lm runs as text."""
    dropped = Dropped("vision_tower", 840_000_000, "it will not see")

    estimate = forecast(msgspec.structs.replace(dense(), dropped=(dropped,)), recipe("4bit"))

    assert estimate.dropped == (dropped,)
    assert estimate.notes == ("vision_tower (840 MB) is dropped: it will not see.",)
