"""Evicts files from the page cache, and measures how much of them is resident, to time a cold load.

Linux evicts with `posix_fadvise`, macOS with `msync` and `MS_INVALIDATE` (as vmtouch does). `mincore` reports
residency on both.
"""

import contextlib
import ctypes
import mmap
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_SYNC_AND_INVALIDATE = 0x10 | 0x02
"""`MS_SYNC | MS_INVALIDATE` on macOS; without the former, unwritten data might be lost."""


def evict(folder: Path) -> None:
    """Ask the system to evict the weights in `folder` from the page cache. It may ignore that."""
    for path in folder.glob("*.safetensors"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if hasattr(os, "posix_fadvise"):
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            elif platform.system() == "Darwin":
                with _mapped(path) as (address, size_bytes):
                    _library().msync(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), _SYNC_AND_INVALIDATE)


def resident_share(folder: Path) -> float | None:
    """Return the share of the weights in `folder` that is in the page cache, None if it is unknown."""
    resident = pages = 0
    try:
        for path in folder.glob("*.safetensors"):
            with _mapped(path) as (address, size_bytes):
                states = np.zeros(-(-size_bytes // mmap.PAGESIZE), np.uint8)
                vector = ctypes.c_void_p(states.ctypes.data)
                if _library().mincore(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), vector):
                    return None
                resident += int(np.count_nonzero(states & 1))
                pages += len(states)
    except (OSError, ValueError, AttributeError):
        return None
    return resident / pages if pages else None


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[tuple[int, int]]:
    """Map a file into memory and yield its address and size. An empty file raises a ValueError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = np.frombuffer(mapped, np.uint8)
        try:
            yield view.ctypes.data, len(view)
        finally:
            del view  # The file cannot be unmapped while the view exists.


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
