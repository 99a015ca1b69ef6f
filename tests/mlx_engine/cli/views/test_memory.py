"""Loads that do not fit, on the command line."""

import json
import struct
from pathlib import Path

import pytest

from mlx_engine.cli.main import main
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.memory import reckon, require_room
from mlx_engine.errors import OutOfMemory
from mlx_engine.models.description.describe import ModelDescription, describe
from mlx_engine.models.memory.machine import Machine

AMPLE = Machine(2**33, 2**33, "for the test", has_metal=True)
SMALL = Machine(400_000, 400_000, "for the test", has_metal=True)


@pytest.fixture
def model(tiny_models: Path) -> ModelDescription:
    return describe(tiny_models / "llama-wide", "tiny/llama-wide")


def test_what_fits_is_loaded_without_a_word(model: ModelDescription, capsys: pytest.CaptureFixture[str]) -> None:
    require_room(model, AMPLE, context=0, cache_bits=16)
    assert capsys.readouterr() == ("", "")


def test_what_does_not_fit_is_refused_with_its_sum(model: ModelDescription, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with what would do instead."""
    with pytest.raises(OutOfMemory, match="--load-anyway"):
        require_room(model, SMALL, context=0, cache_bits=16)
    out, err = capsys.readouterr()
    assert not out
    assert "2,048 tokens in 16 bits" in err
    assert "this machine" in err


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_person_decides(model: ModelDescription, is_wanted: bool) -> None:
    """Yes goes on, no is a refusal."""
    if is_wanted:
        require_room(model, SMALL, context=0, cache_bits=16, confirm=lambda: True)
    else:
        with pytest.raises(OutOfMemory):
            require_room(model, SMALL, context=0, cache_bits=16, confirm=lambda: False)


def test_fewer_bits_are_refused_where_the_model_cannot(tiny_models: Path) -> None:
    """Before anything is loaded, with the reason."""
    windowed = describe(tiny_models / "gemma3", "tiny/gemma3")
    with pytest.raises(UsageError, match="sliding window"):
        reckon(windowed, AMPLE, context=0, cache_bits=8)


def test_chat_refuses_weights_that_no_machine_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal there is nobody to ask: exit code 1, the sum, no process."""
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
        file.truncate(8 + len(header) + size_bytes)  # takes no room on the disk
    assert main(["chat", "huge/model", "--prompt", "Hello."]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert "4,096 tokens in 16 bits" in err
    assert "does not fit this machine" in err
