"""Fixtures that several parts share."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine.folders import Folders
from mlx_engine.models.library import starter
from tests.disks import disk_of

pytest_plugins = ["tests.hub.fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the signals and the environment that child processes inherit; see `tests/child_startup`.

    A shell starts background jobs with Control-C ignored, and children would ignore it too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "FACET_TEST_IMPORTS" not in os.environ:  # workers of pytest-xdist inherit it
        os.environ["FACET_TEST_IMPORTS"] = tempfile.mkdtemp(prefix="facet-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop("FACET_TEST_IMPORTS")))
    paths = [str(Path(__file__).with_name("child_startup")), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


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
