"""Matrices in the formats of other programs compared with their weights in float64."""

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


def _require_equal(matrices: Mapping[str, Matrix], model: Published, tolerance: float = 2**-22) -> None:
    """Compare all rows at once, and some in the middle, which start and end within blocks and words."""
    assert matrices.keys() == model.weights.keys()
    for name, matrix in matrices.items():
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
    """Compare the rows with the packed ones, unpacked by MLX."""
    assert tuple(form.group_size for form in matrix.formats) == groups
    for form in matrix.formats:
        for start, stop in ((0, matrix.shape[0]), (5, 17)):
            assert np.array_equal(_dequantized(matrix, form, start, stop), matrix.rows(start, stop))


def test_awq_stays_packed() -> None:
    """A word has eight outputs in AWQ's order; MLX gets the same integers, transposed."""
    model = _model(published.add_awq, group=128)
    matrices = gptq.matrices(model, {"quant_method": "awq", "bits": 4, "version": "gemm"})
    _require_equal(matrices, model)
    _require_packed(matrices["layer.weight"], 128, 64, 32)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_gptq_stays_packed(bits: int) -> None:
    """Its zero points are stored minus 1."""
    model = _model(published.add_gptq, rows=32, bits=bits, group=64)
    matrices = gptq.matrices(model, {"quant_method": "gptq", "bits": bits})
    _require_equal(matrices, model)
    _require_packed(matrices["layer.weight"], 64, 32)


def test_the_width_of_a_matrix_of_gptq_follows_from_its_zero_points() -> None:
    """Settings for single layers may differ from the model's, under names that depend on the program."""
    model = _model(published.add_gptq, rows=32, bits=8, group=64)
    matrices = gptq.matrices(model, {"quant_method": "gptq", "bits": 4})
    _require_equal(matrices, model)


def test_gptq_with_reordered_inputs_is_read_as_floats() -> None:
    """MLX has no groups of scattered inputs, so such a matrix has no packed form."""
    model = _model(published.add_gptq, rows=32, bits=4, group=64, shuffled=True)
    matrices = gptq.matrices(model, {"quant_method": "gptq", "bits": 4, "desc_act": True})
    _require_equal(matrices, model)
    assert matrices["layer.weight"].formats == ()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_compressed_tensors_stay_packed(bits: int) -> None:
    """They are packed along the inputs, as in MLX."""
    model = _model(published.add_packed_integers, bits=bits, group=32)
    settings = {"format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": bits}}}}
    matrices = compressed.matrices(model, settings)
    _require_equal(matrices, model)
    _require_packed(matrices["layer.weight"], 32)


@pytest.mark.parametrize("block", [(128, 128), (16, 64), (1, _COLUMNS), (_ROWS, _COLUMNS)])
def test_fp8_is_read_with_a_scale_for_each_block(block: tuple[int, int]) -> None:
    """Blocks at the edges may be smaller; a block can be a row or the entire matrix."""
    model = _model(published.add_fp8, block=block)
    _require_equal(fp8.matrices(model, block), model)


def test_fp8_of_compressed_tensors_is_read() -> None:
    """Its scale has another name."""
    model = _model(published.add_fp8, block=(1, _COLUMNS), scale="weight_scale")
    _require_equal(compressed.matrices(model, {"format": "float-quantized"}), model)


@pytest.mark.parametrize(
    ("weight", "global_scale"), [("weight_packed", "weight_global_scale"), ("weight", "weight_scale_2")]
)
def test_nvfp4_is_read_as_floats(weight: str, global_scale: str) -> None:
    """compressed-tensors divides by the global scale, ModelOpt multiplies by it; MLX has none."""
    model = _model(published.add_nvfp4, weight=weight, global_scale=global_scale)
    matrices = micro_scaled.nvfp4(model, weight=weight, global_scale=global_scale)
    _require_equal(matrices, model)
    assert matrices["layer.weight"].formats == ()


def test_mxfp4_of_gpt_oss_stays_packed() -> None:
    """Rows of gate and up projections alternate in one tensor, with one expert after another."""
    model = Published()
    published.add_gpt_oss(model, "experts", np.random.default_rng(4), experts=3, rows=16, groups=2)
    matrices = micro_scaled.gpt_oss(model)
    _require_equal(matrices, model)
    for matrix in (matrices["experts.gate_proj.weight"], matrices["experts.up_proj.weight"]):
        assert matrix.formats == (Format("mxfp4", 4, 32),)
        assert np.array_equal(_dequantized(matrix, matrix.formats[0], 5, 17), matrix.rows(5, 17))


@pytest.mark.parametrize("is_inverse", [True, False])
def test_packed_ternary_weights_are_exact_in_two_bits(is_inverse: bool) -> None:
    """With "autobitlinear" the scale is a factor, otherwise a divisor."""
    model = _model(published.add_ternary, is_inverse=is_inverse)
    settings = {"quant_method": "bitnet", "linear_class": "bitlinear" if is_inverse else "autobitlinear"}
    matrices = bitnet.matrices(model, settings)
    _require_equal(matrices, model, tolerance=0)
    _require_packed(matrices["layer.weight"], 128, 64, 32)


def test_floats_with_three_values_are_ternary() -> None:
    """Their scale is their only magnitude, not the mean of all."""
    model = Published()
    weights = np.random.default_rng(4).integers(-1, 2, (_ROWS, _COLUMNS)) * 0.75
    model.add("q_proj.weight", published.bfloat16(weights), "BF16")
    model.weights["q_proj.weight"] = weights
    matrices = bitnet.ternary_matrices(model)
    _require_equal(matrices, model, tolerance=0)
    _require_packed(matrices["q_proj.weight"], 128, 64, 32)


def test_floats_of_more_values_are_not_ternary() -> None:
    """A single other weight near the end is sufficient."""
    model = Published()
    weights = np.random.default_rng(4).integers(-1, 2, (_ROWS, _COLUMNS)) * 0.75
    weights[-1, -1] = 0.5
    model.add("q_proj.weight", published.bfloat16(weights), "BF16")
    assert bitnet.ternary_matrices(model) == {}


@pytest.mark.parametrize("value", [0.0, 0.0078125])
def test_constant_weights_are_not_ternary(value: float) -> None:
    """Neither zeros, as before training, nor a value without its opposite."""
    model = Published()
    model.add("q_proj.weight", published.bfloat16(np.full((_ROWS, _COLUMNS), value)), "BF16")
    assert bitnet.ternary_matrices(model) == {}


class Counted(Published):
    """Counts the bytes that are read."""

    read_bytes = 0

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        self.read_bytes += stop - start
        return super().read(name, start, stop)


def test_ordinary_floats_are_recognized_by_one_row() -> None:
    """Gigabytes of them need not be read."""
    rng, model = np.random.default_rng(4), Counted()
    for name in ("q_proj.weight", "k_proj.weight"):
        model.add(name, published.bfloat16(published.short(rng.normal(0, 0.05, (4096, _COLUMNS)))), "BF16")
    assert bitnet.ternary_matrices(model) == {}
    assert model.read_bytes == 2 * _COLUMNS


def test_unrounded_floats_of_bitnet_become_ternary() -> None:
    """Each is rounded as by the reference (transformers, WeightQuant), by the mean of all magnitudes."""
    rng = np.random.default_rng(4)
    trained = published.short(rng.normal(0, 0.05, (_ROWS, _COLUMNS)))
    model = Published()
    model.add("model.layers.0.self_attn.q_proj.weight", published.bfloat16(trained), "BF16")
    model.add("lm_head.weight", published.bfloat16(trained), "BF16")
    mean = np.abs(trained.astype(np.float64)).mean()
    model.weights["model.layers.0.self_attn.q_proj.weight"] = np.clip(np.rint(trained / mean), -1, 1) * mean
    matrices = bitnet.matrices(model, {"linear_class": "autobitlinear", "quantization_mode": "online"})
    _require_equal(matrices, model)


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
def test_unknown_formats_are_rejected_by_name(read: Callable[[Published], object], name: str) -> None:
    """Weights are never guessed."""
    with pytest.raises(UnsupportedModel, match=name):
        read(Published())
