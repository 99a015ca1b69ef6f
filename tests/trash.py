"""A trash of the test's own."""

import sys
from pathlib import Path

import pytest


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which deleted files appear, on the disk of `tmp_path`."""
    if sys.platform == "darwin":
        pytest.skip("macOS keeps but one trash, the person's own")
    from send2trash import plat_other  # noqa: PLC0415 - not there on macOS

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", bytes(tmp_path / "Trash"))
    return tmp_path / "Trash" / "files"
