"""Copying a model folder into the library."""

from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, StorageError
from mlx_engine.models.description.describe import describe
from mlx_engine.models.library.copying import copy_model
from tests.model_folders import write_model


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_model(tmp_path / "from/Model")


def test_the_copy_is_whole(source: Path, tmp_path: Path) -> None:
    """Every byte is told on the way, and the description is the same but for the place."""
    target = tmp_path / "to/owner/Model"
    steps = list(copy_model(source, target))
    assert steps[-1].done_bytes == steps[-1].total_bytes == describe(target, "x").size_bytes
    assert [path.name for path in target.parent.iterdir()] == ["Model"]
    for file in source.iterdir():
        assert (target / file.name).read_bytes() == file.read_bytes()


def test_links_are_copied_as_what_they_lead_to(source: Path, tmp_path: Path) -> None:
    """As in the cache of the Hub, whose folders hold nothing but links."""
    weights = source / "model.safetensors"
    weights.rename(tmp_path / "blob")
    weights.symlink_to(tmp_path / "blob")
    list(copy_model(source, tmp_path / "to/owner/Model"))
    assert not (tmp_path / "to/owner/Model/model.safetensors").is_symlink()


def test_giving_up_leaves_nothing(source: Path, tmp_path: Path) -> None:
    """Closing the iterator after the first step removes what was copied."""
    copying = copy_model(source, tmp_path / "to/owner/Model")
    next(copying)
    copying.close()
    assert list((tmp_path / "to/owner").iterdir()) == []


def test_what_is_damaged_or_taken_is_refused(source: Path, tmp_path: Path) -> None:
    """Before anything is written."""
    with pytest.raises(StorageError, match="already"):
        next(copy_model(source, write_model(tmp_path / "to/owner/Taken")))
    (source / "config.json").unlink()
    with pytest.raises(BrokenModel):
        next(copy_model(source, tmp_path / "to/owner/Model"))
    assert [path.name for path in (tmp_path / "to/owner").iterdir()] == ["Taken"]
