"""Fixtures for the tests of the command line."""

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    return tmp_path / "facet"
