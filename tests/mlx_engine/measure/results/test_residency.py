"""The share of a model's files in the page cache."""

import os
import platform
from pathlib import Path

import pytest

from mlx_engine.measure.results.residency import evict, resident_share


@pytest.mark.skipif(platform.system() not in {"Linux", "Darwin"}, reason="other systems do not report it")
def test_a_written_file_is_fully_resident(tmp_path: Path) -> None:
    """All of its pages are in the cache."""
    (tmp_path / "model.safetensors").write_bytes(b"0" * 100_000)
    assert resident_share(tmp_path) == 1


@pytest.mark.skipif(platform.system() != "Linux", reason="macOS may ignore the request")
def test_a_file_is_evicted_on_request(tmp_path: Path) -> None:
    """It must be on the disk first; a file system in memory keeps it."""
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(b"0" * 100_000)
        file.flush()
        os.fsync(file.fileno())
    evict(tmp_path)
    assert resident_share(tmp_path) in {0, 1}


def test_the_share_is_unknown_without_weights(tmp_path: Path) -> None:
    """The same applies to an empty file and to a missing folder."""
    assert resident_share(tmp_path) is None
    (tmp_path / "model.safetensors").touch()
    evict(tmp_path)
    assert resident_share(tmp_path) is None
    assert resident_share(tmp_path / "nowhere") is None
