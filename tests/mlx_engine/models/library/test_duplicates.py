import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from mlx_engine.models.description.describe import describe
from mlx_engine.models.files.safetensors import read_header
from mlx_engine.models.library.duplicates import find_duplicates, fingerprint
from tests.gguf_files import tiny_model
from tests.model_folders import write_model, write_shard


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A model whose weights are random."""
    folder = write_model(tmp_path / "a" / "original")
    weights = folder / "model.safetensors"
    with weights.open("r+b") as file:
        for entry in read_header(weights).values():
            file.seek(entry.offset)
            file.write(np.random.default_rng(1).bytes(entry.size_bytes))
    return folder


def copied(original: Path, name: str) -> Path:
    return shutil.copytree(original, original.parent.parent / "b" / name)


def test_a_copy_is_a_duplicate(original: Path) -> None:
    """Under whatever name; one of them frees its weights."""
    copy = copied(original, "another name")
    found = find_duplicates([describe(original, "a/original"), describe(copy, "b/copy")])
    assert [[model.id for model in one.models] for one in found] == [["a/original", "b/copy"]]
    assert found[0].gain_bytes == (original / "model.safetensors").stat().st_size


def test_a_fine_tune_is_none(original: Path) -> None:
    """The same header over other numbers: deleting one of them would lose a model."""
    tuned = copied(original, "tuned")
    weights = tuned / "model.safetensors"
    entry = read_header(weights)["model.norm.weight"]
    with weights.open("r+b") as file:
        file.seek(entry.offset)
        file.write(bytes(entry.size_bytes))
    assert find_duplicates([describe(original, "a/original"), describe(tuned, "b/tuned")]) == []


def test_files_that_are_shared_free_nothing(original: Path) -> None:
    """A hard link is a duplicate that takes no space."""
    copy = copied(original, "linked")
    (copy / "model.safetensors").unlink()
    os.link(original / "model.safetensors", copy / "model.safetensors")
    (found,) = find_duplicates([describe(original, "a/original"), describe(copy, "b/linked")])
    assert found.gain_bytes == 0


def test_tensors_may_be_spread_otherwise(tmp_path: Path) -> None:
    """One file or two: the weights are the same."""
    shapes = dict.fromkeys(("v", "w"), ("F16", (8, 8)))
    whole = write_model(tmp_path / "whole", shapes)
    split = write_model(tmp_path / "split", shapes)
    (split / "model.safetensors").unlink()
    for number, name in enumerate(shapes, 1):
        write_shard(split / f"model-{number:05}-of-00002.safetensors", {name: shapes[name]})
    assert fingerprint(whole) == fingerprint(split) != ""


def test_gguf_files_are_compared_as_well(tmp_path: Path) -> None:
    """The same file twice, and another of the same sizes."""
    rows = [
        describe(tiny_model(seed=seed).write(tmp_path / f"{name}.gguf"), f"a/{name}")
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    ]
    assert [[model.id for model in one.models] for one in find_duplicates(rows)] == [["a/one", "a/same"]]


def test_what_cannot_be_read_is_no_duplicate(original: Path) -> None:
    """A model that was deleted after it was listed is left out."""
    copy = copied(original, "gone")
    rows = [describe(original, "a/original"), describe(copy, "b/gone")]
    shutil.rmtree(copy)
    assert find_duplicates(rows) == []
