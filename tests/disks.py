"""A small disk that is quickly full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mount_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of the size "2m" or "600m" at `folder`. Only used space takes memory."""
    folder.mkdir()
    result = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True, check=False
    )
    if result.returncode:
        pytest.skip("only root can mount a small disk, on Linux")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
