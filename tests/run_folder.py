"""Folder that all processes of a test run share: those of pytest-xdist, and their children."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

VARIABLE = "FACET_TEST_RUN"


def build_once(name: str, build: Callable[[Path], object]) -> Path:
    """Return a read-only folder with the files of `build`, which only the first process of the run calls."""
    folder = Path(os.environ[VARIABLE], name)
    done = folder.with_name(f"{name}.done")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir()
            build(folder)
            done.touch()
    return folder
