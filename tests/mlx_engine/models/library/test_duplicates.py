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
    """A model with random weights."""
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
    """Its name does not matter, and deleting it frees its weights."""
    copy = copied(original, "another name")
    groups = find_duplicates([describe(original, "a/original"), describe(copy, "b/copy")])
    assert [[model.id for model in group.models] for group in groups] == [["a/original", "b/copy"]]
    assert groups[0].reclaimable_bytes == (original / "model.safetensors").stat().st_size


def test_a_fine_tune_is_not_a_duplicate(original: Path) -> None:
    """It has the same header but other weights."""
    tuned = copied(original, "tuned")
    weights = tuned / "model.safetensors"
    entry = read_header(weights)["model.norm.weight"]
    with weights.open("r+b") as file:
        file.seek(entry.offset)
        file.write(bytes(entry.size_bytes))
    assert find_duplicates([describe(original, "a/original"), describe(tuned, "b/tuned")]) == []


def test_shared_files_reclaim_no_space(original: Path) -> None:
    """A hard link is a duplicate that takes no space."""
    copy = copied(original, "linked")
    (copy / "model.safetensors").unlink()
    os.link(original / "model.safetensors", copy / "model.safetensors")
    (group,) = find_duplicates([describe(original, "a/original"), describe(copy, "b/linked")])
    assert group.reclaimable_bytes == 0


def test_the_split_into_files_does_not_matter(tmp_path: Path) -> None:
    """The same weights in one file or two have the same fingerprint."""
    shapes = dict.fromkeys(("v", "w"), ("F16", (8, 8)))
    whole = write_model(tmp_path / "whole", shapes)
    split = write_model(tmp_path / "split", shapes)
    (split / "model.safetensors").unlink()
    for number, name in enumerate(shapes, 1):
        write_shard(split / f"model-{number:05}-of-00002.safetensors", {name: shapes[name]})
    assert fingerprint(whole) == fingerprint(split) != ""


def test_gguf_files_are_compared(tmp_path: Path) -> None:
    """Two equal files are duplicates; a third with the same sizes but other weights is not."""
    rows = [
        describe(tiny_model(seed=seed).write(tmp_path / f"{name}.gguf"), f"a/{name}")
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    ]
    assert [[model.id for model in group.models] for group in find_duplicates(rows)] == [["a/one", "a/same"]]


def test_an_unreadable_model_is_not_a_duplicate(original: Path) -> None:
    """A model that was deleted after the scan is left out."""
    copy = copied(original, "gone")
    rows = [describe(original, "a/original"), describe(copy, "b/gone")]
    shutil.rmtree(copy)
    assert find_duplicates(rows) == []
