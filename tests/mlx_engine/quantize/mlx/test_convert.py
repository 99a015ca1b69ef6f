"""Conversions held against those of stock mlx-lm, byte by byte, and what they do when something is wrong."""

import hashlib
import os
import resource
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest
from mlx_lm.utils import load_model, load_tokenizer

from mlx_engine.errors import BrokenModel, FacetError, InvalidRecipe, NoSpace, StorageError
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files.safetensors import read_header
from mlx_engine.quantize.mlx import convert as module
from mlx_engine.quantize.mlx import pieces
from mlx_engine.quantize.mlx.convert import WriteProgress, convert
from mlx_engine.quantize.mlx.folder import FolderSource
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Recipe
from tests.mlx_engine.quantize.stored_tensors import stored_tensors
from tests.original_models import ARCHITECTURES, RECIPES, supports_mixed_recipes, write_original


@pytest.fixture
def original(tiny_models: Path, tmp_path: Path) -> Path:
    """A model to spoil."""
    return write_original(tmp_path / "sources" / "llama", tiny_models / "llama", "llama")


def _convert(source: Path, target: Path, name: str) -> list[WriteProgress]:
    with closing(FolderSource(source)) as folder:
        return list(convert(folder, target, recipe(name)))


_cases = [
    (architecture, name)
    for architecture in ARCHITECTURES
    for name in RECIPES
    if supports_mixed_recipes(architecture) or not name.startswith("mixed")
]


@pytest.mark.parametrize(("architecture", "name"), _cases)
def test_every_tensor_has_the_bytes_that_mlx_lm_writes(
    originals: Path, architecture: str, name: str, tmp_path: Path
) -> None:
    """Names, types, shapes and contents are the same."""
    _convert(originals / architecture / "original", tmp_path / "ours", name)

    assert stored_tensors(tmp_path / "ours") == stored_tensors(originals / architecture / name)


@pytest.mark.parametrize("architecture", ["qwen3_moe", "lfm2"])
def test_one_thread_alone_writes_the_same(
    originals: Path, architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU."""
    monkeypatch.setattr(module, "executor", pieces.SameThread)

    _convert(originals / architecture / "original", tmp_path / "ours", "4bit")

    assert stored_tensors(tmp_path / "ours") == stored_tensors(originals / architecture / "4bit")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_stock_mlx_lm_opens_the_result(originals: Path, architecture: str, tmp_path: Path) -> None:
    """With its tokenizer, and every tensor in its place."""
    _convert(originals / architecture / "original", tmp_path / "ours", "mixed_3_6")

    load_model(tmp_path / "ours", strict=True)
    assert load_tokenizer(tmp_path / "ours").encode("one")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_forecast_was_right(originals: Path, architecture: str, tmp_path: Path) -> None:
    """To the byte of the files, and as the library describes the result."""
    with closing(FolderSource(originals / architecture / "original")) as source:
        expected = forecast(source.outline, recipe("4bit"))
        list(convert(source, tmp_path / "ours", recipe("4bit")))

    described = describe(tmp_path / "ours", "ours")
    assert sum(file.stat().st_size for file in (tmp_path / "ours").glob("*.safetensors")) == expected.size_bytes
    assert described.bits_per_weight == pytest.approx(expected.bits_per_weight)
    assert described.parameters == expected.parameters
    assert described.quantization == expected.quantization


def test_progress_is_told_in_bytes_of_the_result(original: Path, tmp_path: Path) -> None:
    """It rises to the whole."""
    progress = _convert(original, tmp_path / "ours", "4bit")

    done = [step.done_bytes for step in progress]
    assert done == sorted(done)
    assert (
        done[-1]
        == progress[-1].total_bytes
        == sum(len(content) for *_, content in stored_tensors(tmp_path / "ours").values())
    )


def test_the_result_says_how_it_came_to_be(original: Path, tmp_path: Path) -> None:
    """The recipe can be taken from it again."""
    with closing(FolderSource(original)) as source:
        list(convert(source, tmp_path / "ours", recipe("mxfp4"), repository="owner/llama", commit="abc"))

    note = provenance.read(tmp_path / "ours")
    assert (note.source, note.revision) == ("owner/llama", "abc")
    assert msgspec.convert(note.settings, Recipe) == recipe("mxfp4")
    digest = hashlib.sha256((original / "model.safetensors").read_bytes()).hexdigest()
    assert note.files_sha256 == {"model.safetensors": digest}
    assert {"mlx", "mlx-lm"} <= note.tools.keys()


def test_the_result_says_what_it_has_lost(originals: Path, tmp_path: Path) -> None:
    """Its eyes, for one."""
    _convert(originals / "gemma3" / "original", tmp_path / "ours", "bf16")

    assert "runs only the text part" in " ".join(provenance.read(tmp_path / "ours").notes)


def test_code_stays_behind_and_the_license_comes_along(original: Path, tmp_path: Path) -> None:
    """What lies beside the weights is copied only as far as it is known to be harmless."""
    _convert(original, tmp_path / "ours", "bf16")

    assert {file.name for file in (tmp_path / "ours").iterdir()} == {
        "LICENSE",
        "config.json",
        "facet.json",
        "model.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_giving_up_leaves_nothing_behind(original: Path, tmp_path: Path) -> None:
    """Closing the iterator is enough."""
    target = tmp_path / "results" / "ours"
    with closing(FolderSource(original)) as source, closing(convert(source, target, recipe("mxfp4"))) as conversion:
        next(conversion)

    assert list(target.parent.iterdir()) == []


_killed = """
import os, signal, sys
from pathlib import Path
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.folder import FolderSource

source = FolderSource(Path(sys.argv[1]))
for step in range(0, 20, 3):
    child = os.fork()
    if not child:
        for number, _ in enumerate(convert(source, Path(sys.argv[2]), recipe("4bit"))):
            if number == step:
                os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert not Path(sys.argv[2]).exists()
"""


def test_a_conversion_that_was_killed_is_no_obstacle(original: Path, tmp_path: Path) -> None:
    """The target is not there until it is whole, and the next one clears the rest away."""
    target = tmp_path / "results" / "ours"
    subprocess.run([sys.executable, "-c", _killed, str(original), str(target)], check=True, timeout=60)

    _convert(original, target, "4bit")

    assert [file.name for file in target.parent.iterdir()] == ["ours"]
    assert len(stored_tensors(target)) == 46


@pytest.mark.parametrize("bits", [0x7F80, 0xFF80, 0x7FC0, 0xFFC1])
def test_weights_that_are_no_numbers_are_named(original: Path, bits: int, tmp_path: Path) -> None:
    """Infinity and NaN of either sign, in the midst of a matrix."""
    name = "model.layers.1.mlp.up_proj.weight"
    entry = read_header(original / "model.safetensors")[name]
    with (original / "model.safetensors").open("r+b") as file:
        file.seek(entry.offset + 1000)
        file.write(np.uint16(bits).tobytes())

    with pytest.raises(BrokenModel, match=name):
        _convert(original, tmp_path / "results" / "ours", "4bit")
    assert list((tmp_path / "results").iterdir()) == []


def test_weights_that_a_type_cannot_hold_are_named(original: Path, tmp_path: Path) -> None:
    """float16 ends at 65,504."""
    entry = read_header(original / "model.safetensors")["model.norm.weight"]
    with (original / "model.safetensors").open("r+b") as file:
        file.seek(entry.offset)
        file.write(np.uint16(0x4780).tobytes())  # 65,536

    with pytest.raises(InvalidRecipe, match=r"model\.norm\.weight"):
        _convert(original, tmp_path / "ours", "fp16")


def test_what_is_there_already_is_left_alone(original: Path, tmp_path: Path) -> None:
    """Whatever it is."""
    target = tmp_path / "ours"
    target.mkdir()

    with pytest.raises(StorageError, match="already"):
        _convert(original, target, "bf16")
    assert target.exists()


def test_a_disk_without_room_is_noticed_before_anything_is_written(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says how much it takes."""
    monkeypatch.setattr(module, "_reserve_bytes", 2**60)

    with pytest.raises(NoSpace, match="Not enough disk space"):
        _convert(original, tmp_path / "results" / "ours", "bf16")
    assert list((tmp_path / "results").iterdir()) == []


def test_a_file_that_cannot_be_written_is_an_error(original: Path, tmp_path: Path) -> None:
    """The system lets files grow to 100 kB only: a sentence says so, and nothing is left behind."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="Couldn't write"):
            _convert(original, tmp_path / "results" / "ours", "bf16")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "results").iterdir()) == []


def test_a_source_that_is_removed_while_it_is_read_is_read_to_its_end(original: Path, tmp_path: Path) -> None:
    """Its files are open by then."""
    with closing(FolderSource(original)) as source:
        conversion = convert(source, tmp_path / "ours", recipe("4bit"))
        next(conversion)
        (original / "model.safetensors").unlink()
        list(conversion)

    assert len(stored_tensors(tmp_path / "ours")) == 46


def test_a_source_that_is_cut_short_while_it_is_read_is_an_error(original: Path, tmp_path: Path) -> None:
    """A sentence says so."""
    with closing(FolderSource(original)) as source:
        conversion = convert(source, tmp_path / "ours", recipe("4bit"))
        next(conversion)
        os.truncate(original / "model.safetensors", 5000)
        with pytest.raises(StorageError, match="truncated"):
            list(conversion)
    assert not (tmp_path / "ours").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_in_is_an_error(original: Path, tmp_path: Path) -> None:
    """A sentence says so."""
    (tmp_path / "results").mkdir(mode=0o500)

    with pytest.raises(FacetError, match="permission to write"):
        _convert(original, tmp_path / "results" / "ours", "bf16")


def test_two_conversions_to_one_place_end_with_one_whole_model(original: Path, tmp_path: Path) -> None:
    """The second is told of the first's."""
    first = convert(FolderSource(original), tmp_path / "ours", recipe("4bit"))
    next(first)
    shutil.copytree(original, tmp_path / "copy")
    list(first)

    with pytest.raises(StorageError, match="already"):
        _convert(tmp_path / "copy", tmp_path / "ours", "mxfp4")
    assert describe(tmp_path / "ours", "ours").quantization == "4-bit g64"
