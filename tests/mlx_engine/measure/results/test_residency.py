"""Behaviour of asking what the system holds in memory of a model's files."""

import os
import platform
from pathlib import Path

import pytest

from mlx_engine.measure.results.residency import evict, resident_share


@pytest.mark.skipif(platform.system() not in {"Linux", "Darwin"}, reason="other systems do not say")
def test_a_file_that_was_read_is_held(tmp_path: Path) -> None:
    """It is in the system's cache, whole."""
    (tmp_path / "model.safetensors").write_bytes(b"0" * 100_000)
    assert resident_share(tmp_path) == 1


@pytest.mark.skipif(platform.system() != "Linux", reason="a Mac need not let go of it")
def test_the_system_lets_go_of_it_when_asked(tmp_path: Path) -> None:
    """Once it is on the disk; in memory file systems there is no disk."""
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.write(b"0" * 100_000)
        file.flush()
        os.fsync(file.fileno())
    evict(tmp_path)
    assert resident_share(tmp_path) in {0, 1}


def test_nothing_is_said_of_what_cannot_be_looked_at(tmp_path: Path) -> None:
    """A folder without weights, an empty file, and a folder that is not there."""
    assert resident_share(tmp_path) is None
    (tmp_path / "model.safetensors").touch()
    evict(tmp_path)
    assert resident_share(tmp_path) is None
    assert resident_share(tmp_path / "nowhere") is None
