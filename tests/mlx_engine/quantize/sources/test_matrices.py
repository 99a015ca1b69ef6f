"""Matrices as other programs publish them are compared with their weights worked out in float64."""

from collections.abc import Callable, Mapping

import mlx.core as mx
import numpy as np
import pytest
from numpy.typing import NDArray

from mlx_engine.errors import UnsupportedModel
from mlx_engine.quantize.recipes.recipe import Format
from mlx_engine.quantize.sources import bitnet, compressed, fp8, gptq, micro_scaled
from mlx_engine.quantize.sources.matrix import Matrix
from tests.mlx_engine.quantize.sources import published
from tests.mlx_engine.quantize.sources.published import Published

_ROWS, _COLUMNS = 24, 256


def _model(add: Callable[..., None], **options: object) -> Published:
    model = Published()
    add(model, "layer", np.random.default_rng(4), **{"rows": _ROWS, "columns": _COLUMNS, **options})
    return model


def _require_equal(found: Mapping[str, Matrix], model: Published, tolerance: float = 2**-22) -> None:
    """Compare all rows at once, and some in the middle, which begin and end inside of blocks and words."""
    assert found.keys() == model.weights.keys()
    for name, matrix in found.items():
        expected = model.weights[name]
        assert matrix.shape == expected.shape
        flat = expected.reshape(-1, expected.shape[-1])
        for start, stop in ((0, len(flat)), (min(3, len(flat) - 1), min(10, len(flat))), (1, 2)):
            rows = matrix.rows(start, stop)
            assert rows.dtype == np.float32
            assert np.allclose(rows, flat[start:stop], rtol=tolerance, atol=tolerance * np.abs(flat).max())


def _dequantized(matrix: Matrix, form: Format, start: int, stop: int) -> NDArray[np.float32]:
    arrays = {name: mx.array(array) for name, array in matrix.packed(start, stop, form).items()}
    weights = mx.dequantize(
        arrays["weight"],
        arrays["scales"],
        arrays.get("biases"),
        group_size=form.group_size,
        bits=form.bits,
        mode=form.mode,
        dtype=mx.float32,
    )
    return np.array(weights)


def _require_packed(matrix: Matrix, *groups: int) -> None:
    """Compare what MLX makes of the packed rows with the rows themselves."""
    assert tuple(form.group_size for form in matrix.formats) == groups
    for form in matrix.formats:
        for start, stop in ((0, matrix.shape[0]), (5, 17)):
            assert np.array_equal(_dequantized(matrix, form, start, stop), matrix.rows(start, stop))


def test_awq_is_read_and_kept_as_it_is() -> None:
    """Eight outputs lie in a word in AWQ's own order; MLX gets the same integers, transposed."""
    model = _model(published.add_awq, group=128)
    found = gptq.matrices(model, {"quant_method": "awq", "bits": 4, "version": "gemm"})
    _require_equal(found, model)
    _require_packed(found["layer.weight"], 128, 64, 32)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_gptq_is_read_and_kept_as_it_is(bits: int) -> None:
    """Its zero points are stored less 1."""
    model = _model(published.add_gptq, rows=32, bits=bits, group=64)
    found = gptq.matrices(model, {"quant_method": "gptq", "bits": bits})
    _require_equal(found, model)
    _require_packed(found["layer.weight"], 64, 32)


def test_gptq_with_inputs_out_of_order_is_read_as_floats() -> None:
    """MLX has no groups of scattered inputs, so such a matrix has no packed form."""
    model = _model(published.add_gptq, rows=32, bits=4, group=64, shuffled=True)
    found = gptq.matrices(model, {"quant_method": "gptq", "bits": 4, "desc_act": True})
    _require_equal(found, model)
    assert found["layer.weight"].formats == ()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_packed_integers_are_read_and_kept_as_they_are(bits: int) -> None:
    """compressed-tensors packs along the inputs, as MLX does."""
    model = _model(published.add_packed_integers, bits=bits, group=32)
    settings = {"format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": bits}}}}
    found = compressed.matrices(model, settings)
    _require_equal(found, model)
    _require_packed(found["layer.weight"], 32)


@pytest.mark.parametrize("block", [(128, 128), (16, 64), (1, _COLUMNS), (_ROWS, _COLUMNS)])
def test_fp8_is_read_with_a_scale_for_each_block(block: tuple[int, int]) -> None:
    """Blocks at the edges may be cut off; a row, or the whole matrix, may be a block."""
    model = _model(published.add_fp8, block=block)
    _require_equal(fp8.matrices(model, block), model)


def test_fp8_of_compressed_tensors_is_read() -> None:
    """It calls the scale by another name."""
    model = _model(published.add_fp8, block=(1, _COLUMNS), scale="weight_scale")
    _require_equal(compressed.matrices(model, {"format": "float-quantized"}), model)


@pytest.mark.parametrize(
    ("weight", "global_scale"), [("weight_packed", "weight_global_scale"), ("weight", "weight_scale_2")]
)
def test_nvfp4_is_read_as_floats(weight: str, global_scale: str) -> None:
    """compressed-tensors divides by the scale of the whole, ModelOpt multiplies with it; MLX has no place for it."""
    model = _model(published.add_nvfp4, weight=weight, global_scale=global_scale)
    found = micro_scaled.nvfp4(model, weight=weight, global_scale=global_scale)
    _require_equal(found, model)
    assert found["layer.weight"].formats == ()


def test_mxfp4_of_gpt_oss_is_read_and_kept_as_it_is() -> None:
    """Gate and up projections lie row by row in one tensor, experts one after the other."""
    model = Published()
    published.add_gpt_oss(model, "experts", np.random.default_rng(4), experts=3, rows=16, groups=2)
    found = micro_scaled.gpt_oss(model)
    _require_equal(found, model)
    for matrix in (found["experts.gate_proj.weight"], found["experts.up_proj.weight"]):
        assert matrix.formats == (Format("mxfp4", 4, 32),)
        assert np.array_equal(_dequantized(matrix, matrix.formats[0], 5, 17), matrix.rows(5, 17))


@pytest.mark.parametrize("is_inverse", [True, False])
def test_packed_ternary_weights_are_exact_in_two_bits(is_inverse: bool) -> None:
    """With "autobitlinear" the scale is a factor, else a divisor."""
    model = _model(published.add_ternary, is_inverse=is_inverse)
    settings = {"quant_method": "bitnet", "linear_class": "bitlinear" if is_inverse else "autobitlinear"}
    found = bitnet.matrices(model, settings)
    _require_equal(found, model, tolerance=0)
    _require_packed(found["layer.weight"], 128, 64, 32)


def test_floats_with_three_values_are_ternary() -> None:
    """Their scale is the one value there is, not the mean of the sizes."""
    model = Published()
    weights = np.random.default_rng(4).integers(-1, 2, (_ROWS, _COLUMNS)) * 0.75
    model.add("q_proj.weight", published.bfloat16(weights), "BF16")
    model.weights["q_proj.weight"] = weights
    found = bitnet.ternary_matrices(model)
    _require_equal(found, model, tolerance=0)
    _require_packed(found["q_proj.weight"], 128, 64, 32)


def test_floats_of_more_values_are_not_ternary() -> None:
    """A single other weight, far behind, is enough."""
    model = Published()
    weights = np.random.default_rng(4).integers(-1, 2, (_ROWS, _COLUMNS)) * 0.75
    weights[-1, -1] = 0.5
    model.add("q_proj.weight", published.bfloat16(weights), "BF16")
    assert bitnet.ternary_matrices(model) == {}


@pytest.mark.parametrize("value", [0.0, 0.0078125])
def test_weights_that_are_all_the_same_are_not_ternary(value: float) -> None:
    """Zeros, as before training, are no sign of it, nor is one value without its opposite."""
    model = Published()
    model.add("q_proj.weight", published.bfloat16(np.full((_ROWS, _COLUMNS), value)), "BF16")
    assert bitnet.ternary_matrices(model) == {}


class Counted(Published):
    """Counts the bytes that are read."""

    read_bytes = 0

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        self.read_bytes += stop - start
        return super().read(name, start, stop)


def test_floats_are_told_by_a_row() -> None:
    """However many there are: nobody waits for gigabytes to be read to learn that they are ordinary."""
    rng, model = np.random.default_rng(4), Counted()
    for name in ("q_proj.weight", "k_proj.weight"):
        model.add(name, published.bfloat16(published.short(rng.normal(0, 0.05, (4096, _COLUMNS)))), "BF16")
    assert bitnet.ternary_matrices(model) == {}
    assert model.read_bytes == 2 * _COLUMNS


def test_floats_that_were_trained_stand_for_ternary_weights() -> None:
    """Each is rounded as the reference does (transformers, WeightQuant): by the mean of all sizes."""
    rng = np.random.default_rng(4)
    trained = published.short(rng.normal(0, 0.05, (_ROWS, _COLUMNS)))
    model = Published()
    model.add("model.layers.0.self_attn.q_proj.weight", published.bfloat16(trained), "BF16")
    model.add("lm_head.weight", published.bfloat16(trained), "BF16")
    mean = np.abs(trained.astype(np.float64)).mean()
    model.weights["model.layers.0.self_attn.q_proj.weight"] = np.clip(np.rint(trained / mean), -1, 1) * mean
    found = bitnet.matrices(model, {"linear_class": "autobitlinear", "quantization_mode": "online"})
    _require_equal(found, model)


def test_a_layer_that_normalizes_its_input_is_refused() -> None:
    """mlx-lm has no such layers."""
    with pytest.raises(UnsupportedModel, match="use_rms_norm"):
        bitnet.matrices(_model(published.add_ternary), {"use_rms_norm": True})


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (lambda model: gptq.matrices(model, {"quant_method": "awq", "version": "gemv"}), "gemv"),
        (lambda model: gptq.matrices(model, {"quant_method": "awq", "bits": 3}), "3 bits"),
        (lambda model: gptq.matrices(model, {"quant_method": "gptq", "checkpoint_format": "marlin"}), "marlin"),
        (lambda model: compressed.matrices(model, {"format": "marlin-24"}), "marlin-24"),
        (lambda model: compressed.matrices(model, {"format": "pack-quantized", "config_groups": {}}), "bits"),
    ],
)
def test_packings_that_are_not_known_are_refused_by_name(read: Callable[[Published], object], name: str) -> None:
    """Nobody shall get weights that were guessed."""
    with pytest.raises(UnsupportedModel, match=name):
        read(Published())
