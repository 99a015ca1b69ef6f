"""Tests of loads that do not fit in memory."""

import json
import struct
from pathlib import Path

import pytest

from mlx_engine.cli.main import main
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.memory import estimate_fit, require_fit
from mlx_engine.errors import OutOfMemory
from mlx_engine.models.description.describe import ModelDescription, describe
from mlx_engine.models.memory.machine import Machine

AMPLE = Machine(2**33, 2**33, "for the test", has_metal=True)
SMALL = Machine(400_000, 400_000, "for the test", has_metal=True)


@pytest.fixture
def model(tiny_models: Path) -> ModelDescription:
    return describe(tiny_models / "llama-wide", "tiny/llama-wide")


def test_a_model_that_fits_is_loaded_silently(model: ModelDescription, capsys: pytest.CaptureFixture[str]) -> None:
    require_fit(model, AMPLE, context=0, cache_bits=16)
    assert capsys.readouterr() == ("", "")


def test_a_model_that_does_not_fit_is_refused_with_its_estimate(
    model: ModelDescription, capsys: pytest.CaptureFixture[str]
) -> None:
    """With alternatives, on standard error."""
    with pytest.raises(OutOfMemory, match="--load-anyway"):
        require_fit(model, SMALL, context=0, cache_bits=16)
    out, err = capsys.readouterr()
    assert not out
    assert "2,048 tokens, 16-bit KV cache" in err
    assert "This Mac" in err


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_the_user_can_load_anyway(model: ModelDescription, is_confirmed: bool) -> None:
    if is_confirmed:
        require_fit(model, SMALL, context=0, cache_bits=16, confirm=lambda: True)
    else:
        with pytest.raises(OutOfMemory):
            require_fit(model, SMALL, context=0, cache_bits=16, confirm=lambda: False)


def test_an_unsupported_kv_cache_precision_is_refused(tiny_models: Path) -> None:
    windowed = describe(tiny_models / "gemma3", "tiny/gemma3")
    with pytest.raises(UsageError, match="sliding window"):
        estimate_fit(windowed, AMPLE, context=0, cache_bits=8)


def test_chat_refuses_weights_too_large_for_any_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal there is no confirmation, and no worker is started."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    folder = tmp_path / "models" / "huge" / "model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "max_position_embeddings": 4096}))
    (folder / "tokenizer.json").write_text("{}")
    size_bytes = 2**41
    entry = {"dtype": "BF16", "shape": [2**20, 2**20], "data_offsets": [0, size_bytes]}
    header = json.dumps({"model.embed_tokens.weight": entry}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size_bytes)  # a sparse file
    assert main(["chat", "huge/model", "--prompt", "Hello."]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert "4,096 tokens, 16-bit KV cache" in err
    assert "does not fit in memory" in err
