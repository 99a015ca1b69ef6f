"""Folders that are quantized for MLX already: unpacked, packed otherwise, or left as they are."""

import contextlib
import io
from contextlib import closing
from pathlib import Path

import mlx_lm
import pytest

from mlx_engine.errors import BrokenModel
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.folder import FolderSource
from mlx_engine.quantize.recipes.builtin import recipe
from tests.mlx_engine.quantize.stored_tensors import stored_tensors
from tests.original_models import write_original


def _convert(source: Path, target: Path, name: str) -> Path:
    with closing(FolderSource(source)) as folder:
        list(convert(folder, target, recipe(name)))
    return target


def _unpacked_by_stock(source: Path, target: Path) -> Path:
    with contextlib.redirect_stdout(io.StringIO()):
        mlx_lm.convert(str(source), str(target), dequantize=True)
    return target


@pytest.mark.parametrize("packed", ["4bit", "mixed_3_6", "mxfp4"])
def test_a_quantized_model_is_unpacked_as_mlx_lm_does(originals: Path, packed: str, tmp_path: Path) -> None:
    """Into the same bytes, also where experts are stacked and routers have other bits."""
    source = originals / "qwen3_moe" / packed
    stock = _unpacked_by_stock(source, tmp_path / "stock")

    ours = _convert(source, tmp_path / "ours", "bf16")

    assert stored_tensors(ours) == stored_tensors(stock)


def test_a_quantized_model_is_quantized_otherwise_by_way_of_floats(originals: Path, tmp_path: Path) -> None:
    """As if it had been unpacked first."""
    source = originals / "llama" / "4bit"
    unpacked = _convert(source, tmp_path / "unpacked", "bf16")

    assert stored_tensors(_convert(source, tmp_path / "at once", "3bit-g32")) == stored_tensors(
        _convert(unpacked, tmp_path / "in two steps", "3bit-g32")
    )


def test_a_matrix_that_has_the_format_already_is_left_as_it_is(originals: Path, tmp_path: Path) -> None:
    """Quantizing it once more would change it."""
    source = originals / "llama" / "4bit"

    assert stored_tensors(_convert(source, tmp_path / "again", "4bit")) == stored_tensors(source)


def test_what_is_lost_already_is_said(originals: Path) -> None:
    """Before anything runs."""
    with closing(FolderSource(originals / "llama" / "mxfp4")) as source:
        assert "can't be restored" in source.notes[0]
        assert "mxfp4" in source.outline.quantization
    with closing(FolderSource(originals / "llama" / "original")) as source:
        assert source.notes == ()


def test_a_source_that_is_gone_before_it_is_read_is_an_error(tiny_models: Path, tmp_path: Path) -> None:
    """A sentence says so, and nothing is left behind."""
    original = write_original(tmp_path / "lfm2", tiny_models / "llama", "lfm2")
    with closing(FolderSource(original)) as source:
        for file in original.glob("*.safetensors"):
            file.unlink()
        with pytest.raises(BrokenModel):
            list(convert(source, tmp_path / "ours", recipe("bf16")))
    assert not (tmp_path / "ours").exists()
