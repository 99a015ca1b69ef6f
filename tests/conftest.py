"""Fixtures that several parts share."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine.folders import Folders
from mlx_engine.models.library import starter
from tests.disks import disk_of

pytest_plugins = ["tests.hub.fixtures"]


def pytest_configure() -> None:
    """A shell starts what runs in the background deaf to Control-C, and children would inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the model folders that `tests/tiny_models.py` describes, for reading only."""
    folder = tmp_path_factory.mktemp("tiny_models")
    subprocess.run([sys.executable, str(Path(__file__).with_name("tiny_models.py")), str(folder)], check=True)
    return folder


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    with disk_of(tmp_path / "disk", "2m") as disk:
        yield disk


@pytest.fixture(scope="session")
def starter_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the starter model, imported once from its GGUF file, for reading only."""
    home = tmp_path_factory.mktemp("starter")
    return starter.prepare(Folders(data=home, cache=home / "cache", logs=home / "logs")).path
