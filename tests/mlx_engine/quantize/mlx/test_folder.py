"""Converting folders that MLX has already quantized: dequantized, requantized, or copied."""

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
def test_a_quantized_model_is_dequantized_as_by_mlx_lm(originals: Path, packed: str, tmp_path: Path) -> None:
    """To the same bytes, even with stacked experts and routers of other bits."""
    source = originals / "qwen3_moe" / packed
    stock = _unpacked_by_stock(source, tmp_path / "stock")

    ours = _convert(source, tmp_path / "ours", "bf16")

    assert stored_tensors(ours) == stored_tensors(stock)


def test_a_quantized_model_is_requantized_from_floats(originals: Path, tmp_path: Path) -> None:
    """As if it had been dequantized first."""
    source = originals / "llama" / "4bit"
    unpacked = _convert(source, tmp_path / "unpacked", "bf16")

    assert stored_tensors(_convert(source, tmp_path / "at once", "3bit-g32")) == stored_tensors(
        _convert(unpacked, tmp_path / "in two steps", "3bit-g32")
    )


def test_a_matrix_of_the_same_format_is_copied(originals: Path, tmp_path: Path) -> None:
    """Quantizing it again would change it."""
    source = originals / "llama" / "4bit"

    assert stored_tensors(_convert(source, tmp_path / "again", "4bit")) == stored_tensors(source)


def test_previous_losses_are_reported(originals: Path) -> None:
    """Before the conversion starts."""
    with closing(FolderSource(originals / "llama" / "mxfp4")) as source:
        assert "can't be restored" in source.notes[0]
        assert "mxfp4" in source.outline.quantization
    with closing(FolderSource(originals / "llama" / "original")) as source:
        assert source.notes == ()


def test_a_source_that_disappears_before_reading_is_reported(tiny_models: Path, tmp_path: Path) -> None:
    """No partial files remain."""
    original = write_original(tmp_path / "lfm2", tiny_models / "llama", "lfm2")
    with closing(FolderSource(original)) as source:
        for file in original.glob("*.safetensors"):
            file.unlink()
        with pytest.raises(BrokenModel):
            list(convert(source, tmp_path / "ours", recipe("bf16")))
    assert not (tmp_path / "ours").exists()
