"""Tests of copying a model folder into the library."""

from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, StorageError
from mlx_engine.models.description.describe import describe
from mlx_engine.models.library.copying import copy_model
from tests.model_folders import write_model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_model(tmp_path / "from/Model")


def test_the_copy_is_complete(source: Path, tmp_path: Path) -> None:
    """The progress counts every byte, and all files are equal to the source."""
    target = tmp_path / "to/owner/Model"
    steps = list(copy_model(source, target))
    assert steps[-1].done_bytes == steps[-1].total_bytes == describe(target, "x").size_bytes
    assert [path.name for path in target.parent.iterdir()] == ["Model"]
    for file in source.iterdir():
        assert (target / file.name).read_bytes() == file.read_bytes()


def test_links_are_copied_as_files(source: Path, tmp_path: Path) -> None:
    """Snapshots in the Hub's cache consist of links only."""
    weights = source / "model.safetensors"
    weights.rename(tmp_path / "blob")
    weights.symlink_to(tmp_path / "blob")
    list(copy_model(source, tmp_path / "to/owner/Model"))
    assert not (tmp_path / "to/owner/Model/model.safetensors").is_symlink()


def test_canceling_leaves_nothing_behind(source: Path, tmp_path: Path) -> None:
    """Closing the iterator after the first step removes the partial copy."""
    copying = copy_model(source, tmp_path / "to/owner/Model")
    next(copying)
    copying.close()
    assert list((tmp_path / "to/owner").iterdir()) == []


def test_a_damaged_source_and_an_existing_target_are_refused(source: Path, tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(StorageError, match="already"):
        next(copy_model(source, write_model(tmp_path / "to/owner/Taken")))
    (source / "config.json").unlink()
    with pytest.raises(BrokenModel):
        next(copy_model(source, tmp_path / "to/owner/Model"))
    assert [path.name for path in (tmp_path / "to/owner").iterdir()] == ["Taken"]
