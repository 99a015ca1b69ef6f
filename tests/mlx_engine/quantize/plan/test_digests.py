"""Digests of weight files."""

import hashlib
from pathlib import Path

import pytest

from mlx_engine.errors import StorageError
from mlx_engine.quantize.plan.digests import Digests


def test_a_file_is_read_for_its_digest(tmp_path: Path) -> None:
    """Even if it was deleted meanwhile."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(bytes(range(256)) * 10_000)
    expected = hashlib.sha256(file.read_bytes()).hexdigest()

    with Digests([file]) as digests:
        file.unlink()
        assert digests.result() == {"model.safetensors": expected}


def test_the_name_of_a_file_in_the_hub_s_cache_is_its_digest(tmp_path: Path) -> None:
    """It is not read: here its contents differ."""
    blob = tmp_path / "blobs" / ("0123456789abcdef" * 4)
    blob.parent.mkdir()
    blob.write_bytes(b"weights")
    link = tmp_path / "snapshots" / "model.safetensors"
    link.parent.mkdir()
    link.symlink_to(blob)

    with Digests([link]) as digests:
        assert digests.result() == {"model.safetensors": blob.name}


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Couldn't read"), Digests([tmp_path / "model.safetensors"]):
        pass
