"""Fixtures that several parts share."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the model folders that `tests/tiny_models.py` describes, for reading only."""
    folder = tmp_path_factory.mktemp("tiny_models")
    subprocess.run([sys.executable, str(Path(__file__).with_name("tiny_models.py")), str(folder)], check=True)
    return folder
