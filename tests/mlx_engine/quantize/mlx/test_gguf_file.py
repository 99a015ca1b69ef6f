"""Converting GGUF files: types that MLX supports are copied, others are dequantized."""

from contextlib import closing
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_flatten
from mlx_lm.utils import dequantize_model, load_model, load_tokenizer

from mlx_engine.errors import StorageError, UnsupportedModel
from mlx_engine.models.description.describe import describe
from mlx_engine.models.gguf.dequantize import DECODINGS, dequantize
from mlx_engine.models.gguf.packing import READABLE
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.plan.preflight import check_start
from mlx_engine.quantize.recipes.builtin import recipe
from tests import gguf_files
from tests.gguf_files import Tensor, import_file, tiny_model


def _convert(source: Path, target: Path, name: str) -> tuple[str, ...]:
    with closing(open_source(source)) as opened:
        list(convert(opened, target, recipe(name)))
        return opened.notes


def _weights(folder: Path, *, is_unpacked: bool = False) -> dict[str, np.ndarray[Any, Any]]:
    network, _ = load_model(folder, strict=True)
    flat: Any = tree_flatten((dequantize_model(network) if is_unpacked else network).parameters())
    return {name: np.array(weight.astype(mx.float32)) for name, weight in flat}


def test_descriptions_list_the_types_of_the_decoder() -> None:
    """Descriptions do not import numpy."""
    assert set(READABLE) == set(DECODINGS)


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0"])
def test_lossless_gives_the_weights_of_the_exact_import(architecture: str, kind: str, tmp_path: Path) -> None:
    """Quants, scales and biases are equal, rows in the right order."""
    source = tiny_model(architecture, kind).write(tmp_path / "model.gguf")
    notes = _convert(source, tmp_path / "converted", "lossless")
    weights, expected = _weights(tmp_path / "converted"), _weights(import_file(source, tmp_path / "imported"))
    assert weights.keys() == expected.keys()
    assert all(np.array_equal(weights[name], expected[name]) for name in expected)
    assert kind in notes[0]


def test_the_tokenizer_is_converted(tmp_path: Path) -> None:
    """It is in the metadata of the file, like the chat template."""
    source = tiny_model().write(tmp_path / "model.gguf")
    _convert(source, tmp_path / "converted", "4bit-g32")
    tokenizer = load_tokenizer(tmp_path / "converted")
    assert tokenizer.decode(tokenizer.encode("the 12")) == "the 12"
    assert describe(tmp_path / "converted", "a/b").has_chat_template


@pytest.mark.parametrize("kind", ["Q4_K", "Q6_K", "IQ4_XS", "Q5_0", "IQ1_S", "IQ2_XXS", "IQ3_S", "TQ1_0"])
def test_types_that_mlx_lacks_are_dequantized(kind: str, tmp_path: Path) -> None:
    """The weights are those of the blocks, rounded to the requested type."""
    model = tiny_model("qwen3", "F16")
    rng = np.random.default_rng(3)
    size = DECODINGS[kind].block_bytes
    blocks = rng.integers(0, 256, (gguf_files.HIDDEN, size * 512 // DECODINGS[kind].block_weights), np.uint8)
    for at in _halves_at[kind]:
        blocks.reshape(-1, size)[:, at : at + 2] = np.array([0.01], "<f2").view(np.uint8)
    _widen(model, 512)
    model.tensors["blk.1.ffn_down.weight"] = Tensor(kind, (gguf_files.HIDDEN, 512), blocks.tobytes())
    source = model.write(tmp_path / "model.gguf")
    assert describe(source, "a/b").can_be_converted
    check_start(source, tmp_path / "converted")
    notes = _convert(source, tmp_path / "converted", "fp32")
    weights = _weights(tmp_path / "converted")["model.layers.1.mlp.down_proj.weight"]
    assert np.array_equal(weights, dequantize(blocks, kind))
    assert any(kind in note for note in notes)


_halves_at = {
    "Q4_K": (0, 2),
    "Q6_K": (208,),
    "IQ4_XS": (0,),
    "Q5_0": (0,),
    "IQ1_S": (0,),
    "IQ2_XXS": (0,),
    "IQ3_S": (0,),
    "TQ1_0": (52,),
}


def _widen(model: gguf_files.GGUFFile, feed_forward: int) -> None:
    """Set the dimensions of the feed-forward layers; blocks of 256 need long rows."""
    rng = np.random.default_rng(5)
    model.metadata["qwen3.feed_forward_length"] = feed_forward
    for name, tensor in model.tensors.items():
        if "ffn_" in name and "norm" not in name:
            shape = tuple(feed_forward if size == gguf_files.FEED_FORWARD else size for size in tensor.shape)
            model.tensors[name] = gguf_files.random_tensor(rng, "F16", *shape)


def test_a_type_without_a_decoder_is_refused_by_name(tmp_path: Path) -> None:
    """Before anything is written."""
    model = tiny_model()
    model.tensors["blk.0.ffn_up.weight"] = Tensor("I8", (96, 64), bytes(96 * 64))
    source = model.write(tmp_path / "model.gguf")
    with pytest.raises(UnsupportedModel, match="I8"):
        open_source(source)
    with pytest.raises(UnsupportedModel, match="I8"):
        check_start(source, tmp_path / "converted")


def test_a_file_that_shrinks_is_reported(tmp_path: Path) -> None:
    """Reading beyond its end does not return zeros."""
    source = tiny_model().write(tmp_path / "model.gguf")
    with closing(open_source(source)) as opened:
        rows = opened.rows("model.layers.1.mlp.down_proj.weight")
        source.write_bytes(source.read_bytes()[:4096])
        with pytest.raises(StorageError, match="truncated"):
            rows(0, 4)
