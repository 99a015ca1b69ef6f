"""Formats of weights in config.json: those that run, those that can be converted, and others."""

import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.models.description.describe import describe
from tests.model_folders import write_model


def _described(folder: Path, settings: dict[str, Any], **config: Any) -> tuple[str, bool]:
    model = describe(write_model(folder / "model", **config, quantization_config=settings), "a/model")
    return model.obstacle, model.can_be_converted


def test_packed_ternary_weights_run_on_a_macs_gpu_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere they can be converted without loss, as the message says."""
    settings = {"quant_method": "bitnet", "linear_class": "autobitlinear"}
    monkeypatch.setattr(sys, "platform", "linux")
    obstacle, can_be_converted = _described(tmp_path / "linux", settings)
    assert "lossless" in obstacle
    assert can_be_converted
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert _described(tmp_path / "mac", settings) == ("", True)


@pytest.mark.parametrize(
    "settings",
    [
        {"quant_method": "gptq", "bits": 4},
        {"quant_method": "fp8", "weight_block_size": [128, 128]},
        {"quant_method": "compressed-tensors", "format": "float-quantized"},
        {"quant_method": "modelopt", "quant_algo": "NVFP4"},
        {"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "online"},
    ],
)
def test_formats_that_mlx_lm_does_not_run_can_be_converted(settings: dict[str, Any], tmp_path: Path) -> None:
    """The message has the format and the next step."""
    obstacle, can_be_converted = _described(tmp_path, settings)
    assert settings["quant_method"] in obstacle
    assert "Quantize it" in obstacle
    assert can_be_converted


def test_formats_that_mlx_lm_unpacks_run(tmp_path: Path) -> None:
    """AWQ in all architectures, blocks of FP8 in those that read their scales."""
    assert _described(tmp_path / "awq", {"quant_method": "awq", "bits": 4}) == ("", True)
    fp8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    assert _described(tmp_path / "fp8", fp8, model_type="deepseek_v3") == ("", True)


def test_unsupported_formats_are_named(tmp_path: Path) -> None:
    """They can be neither run nor converted."""
    obstacle, can_be_converted = _described(tmp_path, {"quant_method": "bitsandbytes", "load_in_4bit": True})
    assert "bitsandbytes" in obstacle
    assert not can_be_converted


def test_weights_quantized_by_mlx_run(tmp_path: Path) -> None:
    """Other settings next to "quantization" are copies of it."""
    settings = {"bits": 4, "group_size": 64}
    assert _described(tmp_path, {**settings, "quant_method": "gptq"}, quantization=settings) == ("", True)
