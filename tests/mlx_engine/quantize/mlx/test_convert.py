"""Conversions compared with those of stock mlx-lm byte by byte, and their failures."""

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
    """Return a model that tests can damage."""
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
    """Names, types, shapes and contents are equal."""
    _convert(originals / architecture / "original", tmp_path / "ours", name)

    assert stored_tensors(tmp_path / "ours") == stored_tensors(originals / architecture / name)


@pytest.mark.parametrize("architecture", ["qwen3_moe", "lfm2"])
def test_a_single_thread_writes_the_same_bytes(
    originals: Path, architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Conversions on a GPU use one thread."""
    monkeypatch.setattr(module, "executor", pieces.SameThread)

    _convert(originals / architecture / "original", tmp_path / "ours", "4bit")

    assert stored_tensors(tmp_path / "ours") == stored_tensors(originals / architecture / "4bit")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_stock_mlx_lm_opens_the_result(originals: Path, architecture: str, tmp_path: Path) -> None:
    """With its tokenizer and every tensor."""
    _convert(originals / architecture / "original", tmp_path / "ours", "mixed_3_6")

    load_model(tmp_path / "ours", strict=True)
    assert load_tokenizer(tmp_path / "ours").encode("one")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_forecast_is_exact(originals: Path, architecture: str, tmp_path: Path) -> None:
    """To the byte of the files, and as the library describes the result."""
    with closing(FolderSource(originals / architecture / "original")) as source:
        expected = forecast(source.outline, recipe("4bit"))
        list(convert(source, tmp_path / "ours", recipe("4bit")))

    described = describe(tmp_path / "ours", "ours")
    assert sum(file.stat().st_size for file in (tmp_path / "ours").glob("*.safetensors")) == expected.size_bytes
    assert described.bits_per_weight == pytest.approx(expected.bits_per_weight)
    assert described.parameters == expected.parameters
    assert described.quantization == expected.quantization


def test_progress_counts_bytes_of_the_result(original: Path, tmp_path: Path) -> None:
    """It increases to the total."""
    progress = _convert(original, tmp_path / "ours", "4bit")

    done = [step.done_bytes for step in progress]
    assert done == sorted(done)
    assert (
        done[-1]
        == progress[-1].total_bytes
        == sum(len(content) for *_, content in stored_tensors(tmp_path / "ours").values())
    )


def test_the_result_has_its_provenance(original: Path, tmp_path: Path) -> None:
    """Including the recipe."""
    with closing(FolderSource(original)) as source:
        list(convert(source, tmp_path / "ours", recipe("mxfp4"), repository="owner/llama", commit="abc"))

    note = provenance.read(tmp_path / "ours")
    assert (note.source, note.revision) == ("owner/llama", "abc")
    assert msgspec.convert(note.settings, Recipe) == recipe("mxfp4")
    digest = hashlib.sha256((original / "model.safetensors").read_bytes()).hexdigest()
    assert note.files_sha256 == {"model.safetensors": digest}
    assert {"mlx", "mlx-lm"} <= note.tools.keys()


def test_the_result_lists_dropped_parts(originals: Path, tmp_path: Path) -> None:
    """For example the vision tower."""
    _convert(originals / "gemma3" / "original", tmp_path / "ours", "bf16")

    assert "runs only the text part" in " ".join(provenance.read(tmp_path / "ours").notes)


def test_the_license_is_copied_and_code_is_not(original: Path, tmp_path: Path) -> None:
    """Only other files of harmless types are copied."""
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


def test_a_canceled_conversion_leaves_no_files(original: Path, tmp_path: Path) -> None:
    """Closing the iterator is sufficient."""
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


def test_a_killed_conversion_can_be_repeated(original: Path, tmp_path: Path) -> None:
    """The target appears only when complete; the next conversion removes partial files."""
    target = tmp_path / "results" / "ours"
    subprocess.run([sys.executable, "-c", _killed, str(original), str(target)], check=True, timeout=60)

    _convert(original, target, "4bit")

    assert [file.name for file in target.parent.iterdir()] == ["ours"]
    assert len(stored_tensors(target)) == 46


@pytest.mark.parametrize("bits", [0x7F80, 0xFF80, 0x7FC0, 0xFFC1])
def test_weights_that_are_not_finite_are_named(original: Path, bits: int, tmp_path: Path) -> None:
    """Infinity of either sign and NaN, in the middle of a matrix."""
    name = "model.layers.1.mlp.up_proj.weight"
    entry = read_header(original / "model.safetensors")[name]
    with (original / "model.safetensors").open("r+b") as file:
        file.seek(entry.offset + 1000)
        file.write(np.uint16(bits).tobytes())

    with pytest.raises(BrokenModel, match=name):
        _convert(original, tmp_path / "results" / "ours", "4bit")
    assert list((tmp_path / "results").iterdir()) == []


def test_weights_outside_the_range_of_the_type_are_named(original: Path, tmp_path: Path) -> None:
    """float16 ends at 65,504."""
    entry = read_header(original / "model.safetensors")["model.norm.weight"]
    with (original / "model.safetensors").open("r+b") as file:
        file.seek(entry.offset)
        file.write(np.uint16(0x4780).tobytes())  # 65,536

    with pytest.raises(InvalidRecipe, match=r"model\.norm\.weight"):
        _convert(original, tmp_path / "ours", "fp16")


def test_an_existing_target_is_not_changed(original: Path, tmp_path: Path) -> None:
    """Not even an empty folder."""
    target = tmp_path / "ours"
    target.mkdir()

    with pytest.raises(StorageError, match="already"):
        _convert(original, target, "bf16")
    assert target.exists()


def test_a_full_disk_is_reported_before_writing(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has the required size."""
    monkeypatch.setattr(module, "_reserve_bytes", 2**60)

    with pytest.raises(NoSpace, match="Not enough disk space"):
        _convert(original, tmp_path / "results" / "ours", "bf16")
    assert list((tmp_path / "results").iterdir()) == []


def test_a_file_that_cannot_be_written_is_an_error(original: Path, tmp_path: Path) -> None:
    """Here the system limits files to 100 kB; the error has a message, and no partial files remain."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StorageError, match="Couldn't write"):
            _convert(original, tmp_path / "results" / "ours", "bf16")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "results").iterdir()) == []


def test_a_source_that_is_removed_during_reading_is_read_completely(original: Path, tmp_path: Path) -> None:
    """Its files are already open."""
    with closing(FolderSource(original)) as source:
        conversion = convert(source, tmp_path / "ours", recipe("4bit"))
        next(conversion)
        (original / "model.safetensors").unlink()
        list(conversion)

    assert len(stored_tensors(tmp_path / "ours")) == 46


def test_a_source_that_is_truncated_during_reading_is_reported(original: Path, tmp_path: Path) -> None:
    with closing(FolderSource(original)) as source:
        conversion = convert(source, tmp_path / "ours", recipe("4bit"))
        next(conversion)
        os.truncate(original / "model.safetensors", 5000)
        with pytest.raises(StorageError, match="truncated"):
            list(conversion)
    assert not (tmp_path / "ours").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_read_only_folder_is_reported(original: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o500)

    with pytest.raises(FacetError, match="permission to write"):
        _convert(original, tmp_path / "results" / "ours", "bf16")


def test_two_conversions_to_one_target_give_one_complete_model(original: Path, tmp_path: Path) -> None:
    """The second fails, because the target already exists."""
    first = convert(FolderSource(original), tmp_path / "ours", recipe("4bit"))
    next(first)
    shutil.copytree(original, tmp_path / "copy")
    list(first)

    with pytest.raises(StorageError, match="already"):
        _convert(tmp_path / "copy", tmp_path / "ours", "mxfp4")
    assert describe(tmp_path / "ours", "ours").quantization == "4-bit g64"
