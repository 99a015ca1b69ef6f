"""Fixtures of conversions."""

import subprocess
import sys
from pathlib import Path

import pytest

import tests.original_models


@pytest.fixture(scope="session")
def originals(tiny_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the architectures that `tests/original_models.py` describes, converted by stock mlx-lm as well."""
    folder = tmp_path_factory.mktemp("originals")
    program = ["-m", tests.original_models.__name__, str(tiny_models), str(folder)]
    subprocess.run([sys.executable, *program], check=True, capture_output=True, timeout=300)
    return folder
