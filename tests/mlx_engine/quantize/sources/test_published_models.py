"""Models quantized by other programs are converted correctly or rejected by name."""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.utils import dequantize_model, load_model

from mlx_engine.errors import BrokenModel, FacetError, UnsupportedModel
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.recipes.builtin import recipe
from tests.mlx_engine.quantize.sources import published
from tests.mlx_engine.quantize.sources.published import LLAMA, Doubles, Published


def _compressed(format: str, **weights: Any) -> dict[str, Any]:
    return {
        "quant_method": "compressed-tensors",
        "format": format,
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}},
    }


_nvfp4_of_compressed = {"weight": "weight_packed", "global_scale": "weight_global_scale"}
_nvfp4_of_modelopt = {"weight": "weight", "global_scale": "weight_scale_2"}
_whole = (256, 256)
"""No matrix is larger."""
_forms: dict[str, tuple[Callable[..., None], dict[str, Any], dict[str, Any]]] = {
    "awq": (published.add_awq, {"group": 64}, {"quant_method": "awq", "bits": 4, "group_size": 64, "version": "gemm"}),
    "gptq": (published.add_gptq, {"bits": 4, "group": 64}, {"quant_method": "gptq", "bits": 4, "group_size": 64}),
    "gptq out of order": (
        published.add_gptq,
        {"bits": 4, "group": 64, "shuffled": True},
        {"quant_method": "gptq", "bits": 4, "group_size": 64, "desc_act": True},
    ),
    "gptq 8 bits": (published.add_gptq, {"bits": 8, "group": 32}, {"quant_method": "gptq", "bits": 8}),
    "packed integers": (
        published.add_packed_integers,
        {"bits": 4, "group": 32},
        _compressed("pack-quantized", num_bits=4, group_size=32),
    ),
    "fp8 in blocks": (
        published.add_fp8,
        {"block": (128, 128)},
        {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]},
    ),
    "fp8 by matrix": (
        published.add_fp8,
        {"block": _whole, "scale": "weight_scale"},
        _compressed("float-quantized", num_bits=8),
    ),
    "nvfp4": (published.add_nvfp4, _nvfp4_of_compressed, _compressed("nvfp4-pack-quantized", num_bits=4)),
    "nvfp4 of modelopt": (published.add_nvfp4, _nvfp4_of_modelopt, {"quant_method": "modelopt", "quant_algo": "NVFP4"}),
}
_exact = ("awq", "gptq", "gptq 8 bits", "packed integers")


def _model(form: str) -> tuple[Published, dict[str, Any]]:
    add, options, settings = _forms[form]
    return published.model(add, **options), settings


def _convert(source: Path, target: Path, name: str) -> tuple[dict[str, Doubles], dict[str, Any], tuple[str, ...]]:
    """Return the weights that stock mlx-lm computes with, config.json, and the notes about the source."""
    with closing(open_source(source)) as opened:
        notes = opened.notes
        list(convert(opened, target, recipe(name)))
    network, config = load_model(target, strict=True)
    flat: Any = tree_flatten(dequantize_model(network).parameters())
    return {key: np.array(array.astype(mx.float32)).astype(np.float64) for key, array in flat}, config, notes


def _require_close(actual: Mapping[str, Doubles], expected: Mapping[str, Doubles], tolerance: float) -> None:
    assert actual.keys() == expected.keys()
    for name, weights in expected.items():
        assert np.abs(actual[name] - weights).max() <= tolerance * np.abs(weights).max(), name


@pytest.mark.parametrize("form", _forms)
def test_weights_equal_the_reference(form: str, tmp_path: Path, tiny_models: Path) -> None:
    """In float32, up to its rounding."""
    model, settings = _model(form)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    actual, config, notes = _convert(source, tmp_path / "result", "fp32")
    _require_close(actual, model.weights, 2**-21)
    assert "quantization_config" not in config
    assert "already quantized" in notes[0]


@pytest.mark.parametrize("form", _exact)
def test_integers_stay_packed_with_the_lossless_recipe(form: str, tmp_path: Path, tiny_models: Path) -> None:
    """Quants and scales are the published ones; a bias, zero point times scale, is rounded to their type."""
    model, settings = _model(form)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    actual, config, _ = _convert(source, tmp_path / "result", "lossless")
    _require_close(actual, model.weights, 2**-7 if form == "packed integers" else 2**-10)
    assert config["quantization"]["bits"] == (8 if "8" in form else 4)
    assert "quant_method" not in config["quantization_config"]


@pytest.mark.parametrize(
    ("form", "settings"),
    [
        ("gptq", {"quant_method": "gptq_marlin", "bits": 4}),
        ("gptq", {"quant_method": "gptqmodel", "bits": 4}),
        ("gptq", {"bits": 4, "group_size": 64, "desc_act": False}),
        ("gptq", {"quant_method": "auto-round", "bits": 4}),
        ("gptq", {"quant_method": "intel/auto-round", "bits": 4, "packing_format": "auto_round:auto_gptq"}),
        ("awq", {"quant_method": "auto-round", "bits": 4, "packing_format": "auto_round:auto_awq"}),
        ("awq", {"quant_method": "awq_marlin", "bits": 4}),
        ("gptq 8 bits", {"quant_method": "gptq", "bits": 4, "dynamic": {r"+:.*_proj": {"bits": 8}}}),
    ],
)
def test_a_packing_is_read_under_each_of_its_names(
    form: str, settings: dict[str, Any], tmp_path: Path, tiny_models: Path
) -> None:
    model, _ = _model(form)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    weights, _, _ = _convert(source, tmp_path / "converted", "fp32")
    _require_close(weights, model.weights, 2**-21)


def test_auto_rounds_own_packing_stores_zero_points_unchanged(tmp_path: Path, tiny_models: Path) -> None:
    """AutoGPTQ's are stored minus 1."""
    model, _ = _model("gptq")
    for name, words in model.arrays.items():
        if name.endswith("qzeros"):
            model.arrays[name] = (words.view("<u4") + np.uint32(0x11111111)).view("<i4")
    settings = {"quant_method": "auto-round", "bits": 4, "packing_format": "auto_round"}
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    weights, _, _ = _convert(source, tmp_path / "converted", "fp32")
    _require_close(weights, model.weights, 2**-21)


def test_early_autogptq_has_its_own_configuration_file(tmp_path: Path, tiny_models: Path) -> None:
    model, _ = _model("gptq")
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA)
    (source / "quantize_config.json").write_text('{"bits": 4, "group_size": 64, "desc_act": false}')
    weights, _, _ = _convert(source, tmp_path / "converted", "fp32")
    _require_close(weights, model.weights, 2**-21)
    assert not (tmp_path / "converted" / "quantize_config.json").exists()


@pytest.mark.parametrize("scale", ["input_scale", "activation_scale"])
def test_static_scales_of_activations_do_not_change_the_weights(scale: str, tmp_path: Path, tiny_models: Path) -> None:
    """MLX does not round activations, so it does not need their scales."""
    model, _ = _model("fp8 in blocks")
    for name in list(model.weights):
        if "_proj" in name:
            model.add(name.removesuffix("weight") + scale, np.array(0.25, "<f4"))
    settings = {"quant_method": "fp8", "activation_scheme": "static", "weight_block_size": [128, 128]}
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    weights, _, _ = _convert(source, tmp_path / "converted", "fp32")
    _require_close(weights, model.weights, 2**-21)


def test_modelopt_has_its_own_configuration_file(tmp_path: Path, tiny_models: Path) -> None:
    """config.json of its older exports does not mention it."""
    model, _ = _model("nvfp4 of modelopt")
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA)
    (source / "hf_quant_config.json").write_text('{"quantization": {"quant_algo": "NVFP4", "group_size": 16}}')
    actual, _, _ = _convert(source, tmp_path / "result", "fp32")
    _require_close(actual, model.weights, 2**-21)
    assert not (tmp_path / "result" / "hf_quant_config.json").exists()


def test_experts_of_gpt_oss_stay_mxfp4(tmp_path: Path, tiny_models: Path) -> None:
    """Their bytes are those of stock mlx-lm's conversion."""
    source = _gpt_oss().write(tmp_path / "original", tiny_models / "llama", **_GPT_OSS)
    actual, config, _ = _convert(source, tmp_path / "result", "lossless")
    network, _ = load_model(source, strict=True)
    flat: Any = tree_flatten(dequantize_model(network).parameters())
    stock = {key: np.array(array.astype(mx.float32)).astype(np.float64) for key, array in flat}
    _require_close(actual, stock, 0)
    assert config["quantization"]["mode"] == "mxfp4"


_GPT_OSS = {
    **LLAMA,
    "model_type": "gpt_oss",
    "intermediate_size": 64,
    "head_dim": 32,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "sliding_window": 32,
    "layer_types": ["sliding_attention", "full_attention"],
    "tie_word_embeddings": False,
    "quantization_config": {"quant_method": "mxfp4"},
}


def _gpt_oss() -> Published:
    rng = np.random.default_rng(8)
    model = Published()
    model.add_plain("model.embed_tokens.weight", rng, 384, 128)
    model.add_plain("model.norm.weight", rng, 128)
    model.add_plain("lm_head.weight", rng, 384, 128)
    for layer in ("model.layers.0", "model.layers.1"):
        for name, rows in {"q": 128, "k": 64, "v": 64, "o": 128}.items():
            model.add_plain(f"{layer}.self_attn.{name}_proj.weight", rng, rows, 128)
            model.add_plain(f"{layer}.self_attn.{name}_proj.bias", rng, rows)
        model.add_plain(f"{layer}.self_attn.sinks", rng, 4)
        model.add_plain(f"{layer}.input_layernorm.weight", rng, 128)
        model.add_plain(f"{layer}.post_attention_layernorm.weight", rng, 128)
        model.add_plain(f"{layer}.mlp.router.weight", rng, 4, 128)
        model.add_plain(f"{layer}.mlp.router.bias", rng, 4)
        model.add_plain(f"{layer}.mlp.experts.down_proj_bias", rng, 4, 128)
        published.add_gpt_oss(model, f"{layer}.mlp.experts", rng, experts=4, rows=128, groups=4)
        model.add(f"{layer}.mlp.experts.down_proj_blocks", rng.integers(0, 256, (4, 128, 2, 16), dtype=np.uint8))
        model.add(f"{layer}.mlp.experts.down_proj_scales", rng.integers(118, 128, (4, 128, 2), dtype=np.uint8))
    return model


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes"),
        ({"quant_method": "aqlm"}, "aqlm"),
        ({"quant_method": "auto-round", "packing_format": "auto_round:llm_compressor"}, "auto-round"),
        ({"quant_method": "modelopt", "quant_algo": "W4A8_AWQ"}, "W4A8_AWQ"),
        ({"load_in_4bit": True}, "an unnamed method"),
    ],
)
def test_unsupported_methods_are_rejected_by_name(
    settings: dict[str, Any], name: str, tmp_path: Path, tiny_models: Path
) -> None:
    """The message suggests alternatives."""
    model = published.model(published.add_ternary)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    with pytest.raises(UnsupportedModel, match=name):
        open_source(source)


@pytest.mark.parametrize(
    ("form", "spoil"),
    [
        ("gptq", lambda model: model.arrays.pop("model.layers.0.mlp.up_proj.scales")),
        (
            "fp8 in blocks",
            lambda model: model.add("model.layers.0.mlp.up_proj.weight_scale_inv", np.ones((3, 1), "<f4")),
        ),
        ("packed integers", lambda model: model.arrays.pop("model.layers.0.mlp.up_proj.weight_scale")),
        ("nvfp4", lambda model: model.arrays.pop("model.layers.0.mlp.up_proj.weight_global_scale")),
    ],
)
def test_inconsistent_tensors_are_named(
    form: str, spoil: Callable[[Published], object], tmp_path: Path, tiny_models: Path
) -> None:
    """The message has the matrix."""
    model, settings = _model(form)
    spoil(model)
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    with pytest.raises(BrokenModel, match=r"layers\.0\.mlp\.up_proj"):
        open_source(source)


@pytest.mark.parametrize("settings", [{"quant_method": "gptq", "bits": []}, {"quant_method": "awq", "bits": "four"}])
def test_settings_of_the_wrong_type_are_rejected(settings: dict[str, Any], tmp_path: Path, tiny_models: Path) -> None:
    """With a message."""
    model, _ = _model("gptq")
    source = model.write(tmp_path / "original", tiny_models / "llama", **LLAMA, quantization_config=settings)
    with pytest.raises(FacetError):
        open_source(source)
