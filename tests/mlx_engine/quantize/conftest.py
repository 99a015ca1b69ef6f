"""Fixtures for tests of conversions."""

import subprocess
import sys
from pathlib import Path

import pytest

import tests.original_models
from tests.run_folder import build_once


@pytest.fixture(scope="session")
def originals(tiny_models: Path) -> Path:
    """Return a folder with the models of `tests/original_models.py` and their conversions by stock mlx-lm."""
    program = [sys.executable, "-m", tests.original_models.__name__, str(tiny_models)]

    def convert(folder: Path) -> None:
        subprocess.run([*program, str(folder)], check=True, capture_output=True, timeout=300)

    return build_once("originals", convert)
