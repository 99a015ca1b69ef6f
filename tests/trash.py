"""A temporary Trash."""

import sys
from pathlib import Path

import pytest


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with deleted files, on the disk of `tmp_path`."""
    if sys.platform == "darwin":
        pytest.skip("on macOS, deleted files would go to the user's Trash")
    from send2trash import plat_other  # noqa: PLC0415 - not available on macOS

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", bytes(tmp_path / "Trash"))
    return tmp_path / "Trash" / "files"
