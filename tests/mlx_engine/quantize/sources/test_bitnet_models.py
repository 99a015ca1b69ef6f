"""BitNet models, packed or as floats, become 2-bit affine without loss and run on the CPU."""

from contextlib import closing
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.utils import load_model

from mlx_engine.inference.load import open_model
from mlx_engine.networks import model_classes
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.recipes.builtin import recipe
from tests.mlx_engine.quantize.sources import published
from tests.mlx_engine.quantize.sources.published import FEED_FORWARD, HIDDEN, LLAMA, Doubles, Published

_sub_norms = {"self_attn.attn_sub_norm": HIDDEN, "mlp.ffn_sub_norm": FEED_FORWARD}
_bitnet = {**LLAMA, "model_type": "bitnet"}
_packed = {"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline"}


def _add_floats(model: Published, path: str, rng: np.random.Generator, *, rows: int, columns: int) -> None:
    """Add a ternary matrix in bfloat16."""
    values = rng.integers(-1, 2, (rows, columns)) * published.short(rng.uniform(0.01, 0.1, 1)).astype(np.float64)
    model.add(f"{path}.weight", published.bfloat16(values), "BF16")
    model.weights[f"{path}.weight"] = values


@pytest.fixture(params=["packed", "floats", "packed llama"])
def original(request: pytest.FixtureRequest, tmp_path: Path, tiny_models: Path) -> tuple[Path, Published]:
    """Return a model in each published format, and its weights."""
    folder = tmp_path / "original"
    if request.param == "packed":
        model = published.model(published.add_ternary, norms=_sub_norms)
        return model.write(folder, tiny_models / "llama", **_bitnet, quantization_config=_packed), model
    if request.param == "floats":
        model = published.model(_add_floats, norms=_sub_norms)
        return model.write(folder, tiny_models / "llama", **_bitnet), model
    model = published.model(published.add_ternary, is_inverse=True)
    settings = {"quant_method": "bitnet", "modules_to_not_convert": ["lm_head"]}
    return model.write(folder, tiny_models / "llama", **LLAMA, quantization_config=settings), model


def _converted(source: Path, target: Path, name: str = "lossless") -> tuple[Any, dict[str, Any]]:
    """Return the network of the result in float32, which is exact on the CPU, and its config.json."""
    with closing(open_source(source)) as opened:
        list(convert(opened, target, recipe(name)))
    network, config = load_model(target, get_model_classes=model_classes)
    network.set_dtype(mx.float32)
    return network, config


def _weights(network: Any) -> dict[str, Doubles]:
    """Return the weights that the network computes with, unpacked by MLX."""
    flat: Any = tree_flatten(network.parameters())
    arrays = dict(flat)
    names = [name for name in arrays if not name.endswith((".scales", ".biases"))]
    return {name: np.array(_floats(arrays, name)).astype(np.float64) for name in names}


def _floats(arrays: dict[str, mx.array], name: str) -> mx.array:
    scales = arrays.get(f"{name.removesuffix('.weight')}.scales")
    if scales is None:
        return arrays[name]
    group_size = arrays[name].shape[-1] * 16 // scales.shape[-1]
    return mx.dequantize(
        arrays[name], scales, arrays[f"{name.removesuffix('.weight')}.biases"], group_size=group_size, bits=2
    )


def test_every_weight_equals_the_reference(original: tuple[Path, Published], tmp_path: Path) -> None:
    """Its values are unpacked and scaled in float64; the inverse of a divisor is rounded to bfloat16."""
    source, model = original
    network, config = _converted(source, tmp_path / "result")
    actual = _weights(network)
    assert config["quantization"] == {"group_size": 128, "bits": 2, "mode": "affine", "model.embed_tokens": False}
    assert actual.keys() == model.weights.keys()
    tolerance = 2**-8 if config["model_type"] == "llama" else 0
    for name, weights in model.weights.items():
        assert np.allclose(actual[name], weights, rtol=tolerance, atol=0)


def test_a_divisors_inverse_is_exact_in_float32(tmp_path: Path, tiny_models: Path) -> None:
    """It equals the divisor of the reference to the precision of float32."""
    model = published.model(published.add_ternary, is_inverse=True)
    settings = {"quant_method": "bitnet"}
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    with closing(open_source(source)) as opened:
        exact = msgspec.structs.replace(recipe("lossless"), dtype="float32")
        list(convert(opened, tmp_path / "result", exact))
    actual = _weights(load_model(tmp_path / "result")[0])
    assert all(np.array_equal(actual[name], weights) for name, weights in model.weights.items())


def test_a_layer_multiplies_as_the_reference_does(original: tuple[Path, Published], tmp_path: Path) -> None:
    """Unpacked and scaled in float64. As in mlx-lm's Metal kernel, activations are not rounded to 8 bits."""
    source, model = original
    network, config = _converted(source, tmp_path / "result")
    inputs = np.random.default_rng(2).normal(size=(5, FEED_FORWARD)).astype(np.float32)
    weights = model.weights["model.layers.1.mlp.down_proj.weight"]
    expected = inputs.astype(np.float64) @ weights.T
    actual = np.array(network.layers[1].mlp.down_proj(mx.array(inputs)))
    tolerance = 2**-8 if config["model_type"] == "llama" else 2**-20
    assert np.abs(actual - expected).max() <= tolerance * np.abs(inputs @ np.abs(weights).T).max()


def test_logits_equal_those_of_the_reference_weights(original: tuple[Path, Published], tmp_path: Path) -> None:
    """The packed network is compared with the same network with floats."""
    source, model = original
    network, config = _converted(source, tmp_path / "result")
    network_class, settings = model_classes({key: config[key] for key in _bitnet})
    reference = network_class(settings.from_dict(config))
    reference.load_weights([(name, mx.array(weights.astype(np.float32))) for name, weights in model.weights.items()])
    tokens = mx.array([[1, 5, 9, 200, 33, 7]])
    expected, actual = np.array(reference(tokens)), np.array(network(tokens))
    tolerance = 2e-2 if config["model_type"] == "llama" else 1e-5
    assert np.abs(actual - expected).max() <= tolerance * np.abs(expected).max()


def test_stock_mlx_lm_opens_the_result_of_a_llama(tmp_path: Path, tiny_models: Path) -> None:
    """It is an ordinary 2-bit model."""
    model = published.model(published.add_ternary)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=_packed)
    with closing(open_source(source)) as opened:
        list(convert(opened, tmp_path / "result", recipe("2bit")))
    network, config = load_model(tmp_path / "result", strict=True)
    assert "quant_method" not in config["quantization_config"]
    assert type(network.layers[0].mlp.up_proj).__name__ == "QuantizedLinear"


def test_every_2_bit_recipe_keeps_ternary_weights(tmp_path: Path, tiny_models: Path) -> None:
    """Groups of 64 represent them as well as larger ones."""
    model = published.model(published.add_ternary)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=_packed)
    actual = _weights(_converted(source, tmp_path / "result", "2bit")[0])
    projections = [name for name in model.weights if "_proj" in name]
    assert projections
    assert all(np.array_equal(actual[name], model.weights[name]) for name in projections)


def test_facet_runs_the_result(tmp_path: Path, tiny_models: Path) -> None:
    """Stock mlx-lm has no network for BitNet with ordinary layers; Facet has."""
    source = published.model(published.add_ternary, norms=_sub_norms).write(
        tmp_path / "original", tiny_models / "llama", **_bitnet, quantization_config=_packed
    )
    expected = _converted(source, tmp_path / "result")[0](mx.array([[1, 5, 9]]))
    actual = open_model(tmp_path / "result").network(mx.array([[1, 5, 9]]))
    assert np.allclose(np.array(actual), np.array(expected), rtol=1e-4, atol=1e-4)
