"""Fixtures for all tests."""

import gc
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
from tests import run_folder
from tests.disks import mount_disk
from tests.run_folder import build_once

pytest_plugins = ["tests.hub.fixtures", "tests.process_mark"]


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the signals and the environment that child processes inherit; see `tests/child_startup`.

    A shell starts background jobs with Control-C ignored, and children would ignore it too.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if run_folder.VARIABLE not in os.environ:  # workers of pytest-xdist inherit it
        os.environ[run_folder.VARIABLE] = tempfile.mkdtemp(prefix="facet-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(run_folder.VARIABLE)))
    paths = [str(Path(__file__).with_name("child_startup")), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use one process more than there are cores: many tests wait, for a child process or the network."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from thousands of tests and all imported modules: a tenth of the time."""
    gc.freeze()


@pytest.fixture(scope="session")
def tiny_models() -> Path:
    """Read-only folder with the models of `tests/tiny_models.py`."""
    program = str(Path(__file__).with_name("tiny_models.py"))
    return build_once("tiny_models", lambda folder: subprocess.run([sys.executable, program, folder], check=True))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    with mount_disk(tmp_path / "disk", "2m") as disk:
        yield disk


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """Read-only folder of the starter model, imported once from its GGUF file."""

    def prepare(home: Path) -> None:
        starter.prepare(Folders(data=home, cache=home / "cache", logs=home / "logs"))

    return build_once("starter", prepare) / "models" / starter.STARTER_ID
