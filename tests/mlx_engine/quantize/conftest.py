"""Fixtures of conversions."""

import subprocess
import sys
from pathlib import Path

import pytest

import tests.original_models
from tests.run_folder import build_once


@pytest.fixture(scope="session")
def originals(tiny_models: Path) -> Path:
    """A folder of the architectures that `tests/original_models.py` describes, converted by stock mlx-lm as well."""
    program = [sys.executable, "-m", tests.original_models.__name__, str(tiny_models)]

    def convert(folder: Path) -> None:
        subprocess.run([*program, str(folder)], check=True, capture_output=True, timeout=300)

    return build_once("originals", convert)
