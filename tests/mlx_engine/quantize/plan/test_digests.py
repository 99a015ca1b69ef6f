"""The digests of weight files."""

import hashlib
from pathlib import Path

import pytest

from mlx_engine.errors import StorageError
from mlx_engine.quantize.plan.digests import Digests


def test_a_file_is_read_for_its_digest(tmp_path: Path) -> None:
    """Even if it is gone by then."""
    file = tmp_path / "model.safetensors"
    file.write_bytes(bytes(range(256)) * 10_000)
    expected = hashlib.sha256(file.read_bytes()).hexdigest()

    with Digests([file]) as digests:
        file.unlink()
        assert digests.result() == {"model.safetensors": expected}


def test_a_file_of_the_hub_s_cache_has_its_digest_for_a_name(tmp_path: Path) -> None:
    """It is not read: this one has another content."""
    blob = tmp_path / "blobs" / ("0123456789abcdef" * 4)
    blob.parent.mkdir()
    blob.write_bytes(b"weights")
    link = tmp_path / "snapshots" / "model.safetensors"
    link.parent.mkdir()
    link.symlink_to(blob)

    with Digests([link]) as digests:
        assert digests.result() == {"model.safetensors": blob.name}


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A sentence says so."""
    with pytest.raises(StorageError, match="Couldn't read"), Digests([tmp_path / "model.safetensors"]):
        pass
