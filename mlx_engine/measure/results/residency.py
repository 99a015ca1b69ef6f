"""Whether the system holds files in memory, and how it is asked to let go of them: what a cold load begins with.

Linux lets go of a file by `posix_fadvise`, macOS by `msync` with `MS_INVALIDATE` (as vmtouch does). Whether it did
so, `mincore` tells on both.
"""

import contextlib
import ctypes
import mmap
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_write_and_drop = 0x10 | 0x02
"""`MS_SYNC` and `MS_INVALIDATE` on macOS; without the first, what is not on the disk yet might be lost."""


def evict(folder: Path) -> None:
    """Ask the system to drop from memory what it holds of the weights in `folder`. It need not do so."""
    for path in folder.glob("*.safetensors"):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if hasattr(os, "posix_fadvise"):
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            elif platform.system() == "Darwin":
                with _mapped(path) as (address, size_bytes):
                    _library().msync(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), _write_and_drop)


def resident_share(folder: Path) -> float | None:
    """Return which share of the weights in `folder` the system holds in memory; None if it does not say."""
    held = pages = 0
    try:
        for path in folder.glob("*.safetensors"):
            with _mapped(path) as (address, size_bytes):
                states = np.zeros(-(-size_bytes // mmap.PAGESIZE), np.uint8)
                place = ctypes.c_void_p(states.ctypes.data)
                if _library().mincore(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), place):
                    return None
                held += int(np.count_nonzero(states & 1))
                pages += len(states)
    except (OSError, ValueError, AttributeError):
        return None
    return held / pages if pages else None


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[tuple[int, int]]:
    """Map a file, and give the address and its size. An empty one raises a ValueError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        view = np.frombuffer(mapped, np.uint8)
        try:
            yield view.ctypes.data, len(view)
        finally:
            del view  # Otherwise the file could not be unmapped.


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
